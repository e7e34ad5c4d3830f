"""Receiving codes at the page: the picture of one that the assistant has shown, and pictures that visitors scan."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from aiohttp import web

from banking_core.identity import Origin
from bot.channels.web.errors import NoPicture
from bot.channels.web.ports import HubPort
from bot.channels.web.sessions import WebSession
from bot.conversation.scans import NO_CODE, PICTURE_OF_CODE, judged
from bot.conversation.views import Inbound
from bot.dialogue.reply import Reply, choices
from bot.surfaces.codes import BYTES_MAX, CodeReader, PictureRefused, code_png
from bot.surfaces.errors import BadRequest

SEQ_DIGITS_MAX: Final = 9
KINDS: Final = frozenset({"image/jpeg", "image/png"})
CLIENT_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
UPLOAD_S_MAX: Final = 30.0


class Codes:
    """Draws what a message of the visitor's own conversation holds; reads what the visitor shows."""

    def __init__(self, hub: HubPort, reader: CodeReader) -> None:
        self._hub, self._reader = hub, reader

    async def picture(self, row: WebSession, seq: str) -> web.Response:
        """The QR picture of message `seq`, as PNG. Raises HTTPNotFound where there is none."""
        if not (seq.isascii() and seq.isdigit() and len(seq) <= SEQ_DIGITS_MAX and int(seq) > 1):
            raise web.HTTPNotFound
        found = await self._hub.history(row.conversation_id, after_seq=int(seq) - 1, limit=1)
        card = found[0]["card"] if found and found[0]["seq"] == int(seq) else None
        if not card or not card.get("code"):
            raise web.HTTPNotFound
        image = await asyncio.to_thread(code_png, card["code"])
        return web.Response(
            body=image, content_type="image/png", headers={"Cache-Control": "private, no-store"}
        )

    async def scan(self, row: WebSession, request: web.Request, origin: Origin) -> None:
        """Takes a picture of a code: what is said to it comes by the socket, and nothing of the picture stays.

        Raises BadRequest, NoPicture.
        """
        key = request.query.get("client_id", "")
        if not CLIENT_ID.fullmatch(key):
            raise BadRequest()
        try:
            texts = await self._reader.texts(await _body(request))
        except PictureRefused:
            raise NoPicture() from None
        found = judged(texts) or Reply(NO_CODE, choices=choices("转账"))
        if isinstance(found, str):
            await self._hub.receive(Inbound(row.conversation_id, key, found, origin=origin))
            return
        await self._hub.note_arrival(row.conversation_id, PICTURE_OF_CODE, key)
        await self._hub.announce(row.conversation_id, found, f"said:{key}")


async def _body(request: web.Request) -> bytes:
    """The picture, as long as it may be. Raises NoPicture."""
    if request.content_type not in KINDS or (request.content_length or 0) > BYTES_MAX:
        raise NoPicture()
    body = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_S_MAX):
            async for piece in request.content.iter_chunked(64 * 1024):
                body += piece
                if len(body) > BYTES_MAX:
                    raise NoPicture()
    except (TimeoutError, web.RequestPayloadError):
        raise NoPicture() from None
    return bytes(body)
