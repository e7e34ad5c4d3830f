"""What can be sent, in both of Tencent's forms: the XML of an answer and the JSON of a customer-service message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.channels.wechat.messages import Message

MENU_ITEMS_MAX = 10
TITLE_CHARS_MAX = 32


@dataclass(frozen=True)
class TextOut:
    """Words, 2,048 bytes at most."""

    text: str


@dataclass(frozen=True)
class NewsOut:
    """A card that opens a page."""

    title: str
    description: str
    url: str


@dataclass(frozen=True)
class ImageOut:
    """A picture that was uploaded: a QR code, a chart."""

    media_id: str


@dataclass(frozen=True)
class MenuOut:
    """Words with choices to tap, each (id, words). Only as a customer-service message."""

    text: str
    items: tuple[tuple[str, str], ...]


Out = TextOut | NewsOut | ImageOut | MenuOut


def to_json(openid: str, out: Out) -> dict[str, Any]:
    """The body of `message/custom/send`."""
    kind: str
    content: dict[str, Any]
    match out:
        case TextOut():
            kind, content = "text", {"content": out.text}
        case NewsOut():
            article = {"title": out.title, "description": out.description, "url": out.url, "picurl": ""}
            kind, content = "news", {"articles": [article]}
        case ImageOut():
            kind, content = "image", {"media_id": out.media_id}
        case MenuOut():
            items = [{"id": item_id, "content": words} for item_id, words in out.items]
            kind, content = "msgmenu", {"head_content": out.text, "list": items, "tail_content": ""}
    return {"touser": openid, "msgtype": kind, kind: content}


def to_answer(message: Message, out: Out, now: datetime) -> Mapping[str, Any]:
    """The fields of the XML answered to a message. A menu becomes its words: answers know no menus."""
    fields = {
        "ToUserName": message.openid,
        "FromUserName": message.account,
        "CreateTime": int(now.timestamp()),
    }
    match out:
        case NewsOut():
            article = {"Title": out.title, "Description": out.description, "PicUrl": "", "Url": out.url}
            return fields | {"MsgType": "news", "ArticleCount": 1, "Articles": [article]}
        case ImageOut():
            return fields | {"MsgType": "image", "Image": {"MediaId": out.media_id}}
        case TextOut() | MenuOut():
            return fields | {"MsgType": "text", "Content": out.text}
