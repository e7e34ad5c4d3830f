"""What Tencent sends, as types. Unknown kinds of messages and events are kept as `Other`, never an error."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.channels.wechat.errors import XmlRefused
from bot.channels.wechat.xml import Fields

_NAME = re.compile(r"[A-Za-z0-9_@.-]{1,64}")
_DIGITS = re.compile(r"[0-9]{1,20}")
_SCENE_PREFIX = "qrscene_"
TEXT_CHARS_MAX = 4096
WORD_CHARS_MAX = 512
NOT_SUPPORTED = "【收到不支持的消息类型，暂无法显示】"  # Tencent's words in place of a sticker and the like


@dataclass(frozen=True)
class Text:
    """Typed, or chosen in a menu message, whose item then has an id."""

    content: str
    menu_id: str = ""

    def __repr__(self) -> str:
        """Never shows the text: it may hold a code."""
        return f"Text(menu_id={self.menu_id!r})"


@dataclass(frozen=True)
class Image:
    """A picture, kept by Tencent for three days."""

    media_id: str
    url: str


@dataclass(frozen=True)
class Voice:
    """Speech: AMR or Speex. `recognition` has been empty since Tencent ended its own."""

    media_id: str
    format: str
    recognition: str


@dataclass(frozen=True)
class Location:
    """A place the customer picked on the map, in degrees of GCJ-02; `label` is its address in words."""

    latitude: float
    longitude: float
    label: str


@dataclass(frozen=True)
class Link:
    """A page passed on."""

    title: str
    description: str
    url: str


@dataclass(frozen=True)
class Subscribe:
    """Follows us, perhaps by a QR code with a scene."""

    scene: str


@dataclass(frozen=True)
class Unsubscribe:
    """Follows us no more."""


@dataclass(frozen=True)
class Scan:
    """A follower scanned a QR code of ours."""

    scene: str


@dataclass(frozen=True)
class Click:
    """A menu button with words of ours."""

    key: str


@dataclass(frozen=True)
class View:
    """A menu button that opened a page."""

    url: str


@dataclass(frozen=True)
class TemplateSent:
    """What became of a template message: 'success', or why not."""

    message_id: str
    status: str


@dataclass(frozen=True)
class Other:
    """Something else: a video, a file, an event we have no use for."""

    kind: str
    is_event: bool = False


Content = (
    Text
    | Image
    | Voice
    | Location
    | Link
    | Subscribe
    | Unsubscribe
    | Scan
    | Click
    | View
    | TemplateSent
    | Other
)


def is_report(content: Content) -> bool:
    """Whether Tencent only tells us of something: nobody wrote, nobody is to be answered, and they may have left us."""
    return isinstance(content, View | TemplateSent) or (isinstance(content, Other) and content.is_event)


@dataclass(frozen=True)
class Message:
    """One delivery. `key` is the same for every try of one message, and for nothing else."""

    key: str
    openid: str
    account: str
    sent_at_s: int
    content: Content
    fields: Fields = field(default_factory=dict, repr=False, compare=False)  # what it was read from


def read_message(fields: Fields) -> Message:
    """The message in the fields of an opened callback. Raises XmlRefused."""
    openid, account = _name(fields, "FromUserName"), _name(fields, "ToUserName")
    sent_at_s = int(_matching(fields, "CreateTime", _DIGITS))
    kind = _text(fields, "MsgType", 32).lower()
    if kind == "event":
        event = _text(fields, "Event", 64)
        read = _EVENTS.get(event.lower())
        content = read(fields) if read else Other(event, is_event=True)
        told_apart = f"{event}:{_text(fields, 'EventKey')}:{_text(fields, 'MsgID', 20)}"
        key = _key("event", openid, str(sent_at_s), told_apart)
        return Message(key, openid, account, sent_at_s, content, fields)
    message_id = _matching(fields, "MsgId", _DIGITS)
    read = _MESSAGES.get(kind)
    content = read(fields) if read else Other(kind)
    return Message(_key("message", openid, message_id), openid, account, sent_at_s, content, fields)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read_text(fields: Fields) -> Content:
    content = _text(fields, "Content", TEXT_CHARS_MAX)
    return Other("sticker") if content == NOT_SUPPORTED else Text(content, _text(fields, "bizmsgmenuid", 64))


def _read_image(fields: Fields) -> Content:
    return Image(_text(fields, "MediaId"), _text(fields, "PicUrl"))


def _read_voice(fields: Fields) -> Content:
    return Voice(
        _text(fields, "MediaId"),
        _text(fields, "Format", 16).lower(),
        _text(fields, "Recognition", TEXT_CHARS_MAX),
    )


def _read_location(fields: Fields) -> Content:
    latitude, longitude = _degrees(fields, "Location_X", 90), _degrees(fields, "Location_Y", 180)
    return Location(latitude, longitude, _text(fields, "Label"))


def _read_link(fields: Fields) -> Content:
    return Link(_text(fields, "Title"), _text(fields, "Description"), _text(fields, "Url"))


def _read_subscribe(fields: Fields) -> Content:
    return Subscribe(_text(fields, "EventKey").removeprefix(_SCENE_PREFIX))


_MESSAGES: Mapping[str, Callable[[Fields], Content]] = {
    "text": _read_text,
    "image": _read_image,
    "voice": _read_voice,
    "location": _read_location,
    "link": _read_link,
}
_EVENTS: Mapping[str, Callable[[Fields], Content]] = {
    "subscribe": _read_subscribe,
    "unsubscribe": lambda _: Unsubscribe(),
    "scan": lambda fields: Scan(_text(fields, "EventKey")),
    "click": lambda fields: Click(_text(fields, "EventKey")),
    "view": lambda fields: View(_text(fields, "EventKey")),
    "templatesendjobfinish": lambda fields: TemplateSent(
        _text(fields, "MsgID", 20), _text(fields, "Status", 64)
    ),
}


def _text(fields: Fields, name: str, chars_max: int = WORD_CHARS_MAX) -> str:
    """The field as text, "" when it is not there; longer ones are cut, because the length is Tencent's affair."""
    value: Any = fields.get(name, "")
    if not isinstance(value, str):
        raise XmlRefused(f"{name} is not text")
    return value[:chars_max]


def _name(fields: Fields, name: str) -> str:
    return _matching(fields, name, _NAME)


def _matching(fields: Fields, name: str, shape: re.Pattern[str]) -> str:
    value = _text(fields, name)
    if not shape.fullmatch(value):
        raise XmlRefused(f"{name} is missing or malformed")
    return value


def _degrees(fields: Fields, name: str, degrees_max: int) -> float:
    try:
        value = float(_text(fields, name, 32))
    except ValueError:
        raise XmlRefused(f"{name} is no number") from None
    if not -degrees_max <= value <= degrees_max:
        raise XmlRefused(f"{name} is out of range")
    return value
