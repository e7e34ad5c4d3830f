"""Reads and checks what the page sends."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from aiohttp import web

from banking_core.clock import bank_date
from bot.surfaces.bodies import is_storable
from bot.surfaces.errors import BadRequest
from desk.errors import NotThere

FIRST_DAY = date(2020, 1, 1)
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_CONVERSATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def text_of(body: dict[str, Any], field: str, *, chars_max: int, required_text: str | None = None) -> str:
    """A trimmed text that can be stored. `required_text` is said when it is empty. Raises BadRequest."""
    value = body.get(field, "")
    if not isinstance(value, str) or not is_storable(value):
        raise BadRequest()
    value = value.strip()
    if len(value) > chars_max:
        raise BadRequest(f"内容太长了，最多{chars_max}个字。", length=len(value))
    if required_text and not value:
        raise BadRequest(required_text)
    return value


def client_id_of(body: dict[str, Any]) -> str:
    """The page's own id of a message. Raises BadRequest."""
    value = body.get("client_id")
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise BadRequest()
    return value


def conversation_id_of(request: web.Request) -> str:
    """The conversation in the path. Raises NotThere."""
    value = request.match_info["conversation_id"]
    if not _CONVERSATION_ID.fullmatch(value):
        raise NotThere()
    return value


def after_seq_of(request: web.Request) -> int:
    """`?after_seq=`, 0 when absent. Raises BadRequest."""
    raw = request.query.get("after_seq", "0")
    if not re.fullmatch(r"[0-9]{1,9}", raw):
        raise BadRequest()
    return int(raw)


def day_of(text: str, now: datetime) -> date:
    """A bank day that has begun. Raises BadRequest."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest("日期要写成 2026-11-20 这样。") from None
    if not FIRST_DAY <= day <= bank_date(now):
        raise BadRequest("这一天没有数据。")
    return day
