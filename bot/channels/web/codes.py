"""Receiving codes at the page: the picture of one that the assistant has shown."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from bot.channels.web.ports import HubPort
from bot.channels.web.sessions import WebSession
from bot.surfaces.codes import code_png

SEQ_DIGITS_MAX: Final = 9


class CodePictures:
    """Draws what a message of the visitor's own conversation holds."""

    def __init__(self, hub: HubPort) -> None:
        self._hub = hub

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
