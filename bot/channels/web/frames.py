"""The web socket's frames: what a client may send, checked, and what the server sends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from bot.conversation.views import ConversationStatus
from bot.surfaces.bodies import is_storable
from bot.surfaces.errors import BadRequest, SurfaceError

FRAME_BYTES_MAX = 16 * 1024
COMMENT_CHARS_MAX = 200
SECRET_CHARS_MAX = 64
COUNT_MAX = 2**31 - 1  # what the database counts messages with
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


@dataclass(frozen=True)
class Hello:
    """The client is ready; it already has everything up to `after_seq` of `conversation_id`."""

    after_seq: int
    conversation_id: str | None


@dataclass(frozen=True)
class Say:
    """A message, or a secret (code, password) when `secret`."""

    client_id: str
    text: str
    secret: bool

    def __repr__(self) -> str:
        """Never shows the text: it may be a code or a password."""
        return f"Say(client_id={self.client_id!r}, secret={self.secret})"


@dataclass(frozen=True)
class Rate:
    """A score of 1 to 5 and a comment."""

    score: int
    comment: str


@dataclass(frozen=True)
class Typing:
    """The customer is typing."""


@dataclass(frozen=True)
class Ping:
    """Are you there?"""


Frame = Hello | Say | Rate | Typing | Ping


def parse_frame(raw: str, *, text_chars_max: int) -> Frame:
    """Reads one client frame; raises BadRequest with a Chinese sentence."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequest() from None
    if not isinstance(body, dict):
        raise BadRequest()
    match body.get("type"):
        case "hello":
            return _hello(body)
        case "say":
            return _say(body, secret=False, text_chars_max=text_chars_max)
        case "secret":
            return _say(body, secret=True, text_chars_max=SECRET_CHARS_MAX)
        case "rate":
            return _rate(body)
        case "typing":
            return Typing()
        case "ping":
            return Ping()
        case _:
            raise BadRequest()


def _hello(body: Mapping[str, Any]) -> Hello:
    after_seq, conversation_id = body.get("after_seq", 0), body.get("conversation_id")
    if not _is_count(after_seq) or not isinstance(conversation_id, str | None):
        raise BadRequest()
    return Hello(after_seq, conversation_id)


def _say(body: Mapping[str, Any], *, secret: bool, text_chars_max: int) -> Say:
    client_id, text = body.get("client_id"), body.get("text")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise BadRequest()
    if not isinstance(text, str) or not is_storable(text):
        raise BadRequest(client_id=client_id)
    text = text.strip()
    if not text:
        raise BadRequest("还没有输入内容，请写好再发送。", client_id=client_id)
    if len(text) > text_chars_max:
        raise BadRequest(
            f"内容太长了，一次最多{text_chars_max}个字，请分几条发送。", client_id=client_id, length=len(text)
        )
    return Say(client_id, text, secret)


def _rate(body: Mapping[str, Any]) -> Rate:
    score, comment = body.get("score"), body.get("comment", "")
    if not _is_count(score) or not 1 <= score <= 5:
        raise BadRequest("请选择1到5颗星。")
    if not isinstance(comment, str) or not is_storable(comment):
        raise BadRequest()
    comment = comment.strip()
    if len(comment) > COMMENT_CHARS_MAX:
        raise BadRequest(f"评价最多{COMMENT_CHARS_MAX}个字，请写短一些。")
    return Rate(score, comment)


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COUNT_MAX


def state_label(status: ConversationStatus) -> str:
    """Who is on the other side, for the page's header."""
    match status.owner:
        case "queue":
            return f"排队中 · 第{status.queue_position}位" if status.queue_position else "排队中"
        case "agent":
            return f"人工 · {status.agent_name}" if status.agent_name else "人工"
        case "closed":
            return "已结束"
        case _:
            return "小掌柜"


def state_frame(status: ConversationStatus) -> dict[str, Any]:
    """The `state` frame of a conversation."""
    return {
        "type": "state",
        "owner": status.owner,
        "label": state_label(status),
        "expects": status.expects,
        "expects_until": status.expects_until.isoformat() if status.expects_until else None,
        "customer_name": status.customer_name_masked,
        "can_rate": status.can_rate,
    }


def error_frame(error: SurfaceError) -> dict[str, Any]:
    """The `error` frame of something refused."""
    return {"type": "error", "code": error.code, "text": error.text, **error.details}
