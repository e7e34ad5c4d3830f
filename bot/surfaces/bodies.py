"""JSON in and out, and what of it can be stored."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from bot.surfaces.errors import BadRequest

BODY_BYTES_MAX = 8192


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object of a POST; an empty body is an empty object. Raises BadRequest."""
    if request.content_type != "application/json" or (request.content_length or 0) > BODY_BYTES_MAX:
        raise BadRequest()
    try:
        raw = await request.text()
        body = json.loads(raw) if raw else {}
    except (ValueError, LookupError, RecursionError, web.HTTPRequestEntityTooLarge, web.RequestPayloadError):
        raise BadRequest() from None
    if not isinstance(body, dict):
        raise BadRequest()
    return body


def json_answer(body: dict[str, Any], *, status: int = 200) -> web.Response:
    """A JSON answer that no cache keeps."""
    text = json.dumps(body, ensure_ascii=False)
    headers = {"Cache-Control": "no-store"}
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


def is_storable(text: str) -> bool:
    """Whether the text can be stored and hashed: no NUL (PostgreSQL refuses it) and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
