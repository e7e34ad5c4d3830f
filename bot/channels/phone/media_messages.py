"""The messages of the media web socket (the dialect of Twilio Media Streams, spoken by many carriers), checked.

They say: connected, start, media, dtmf, mark, stop. We say: media, mark, clear.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.channels.phone.audio import CodecName
from bot.channels.phone.call import KEYS
from bot.channels.phone.errors import MalformedMessage, NoCommonCodec

PAYLOAD_BYTES_MAX: Final = 8000  # one second; carriers send 20 ms
PAYLOAD_CHARS_MAX: Final = PAYLOAD_BYTES_MAX * 4 // 3 + 4
MESSAGE_CHARS_MAX: Final = 64 * 1024
MARK_CHARS_MAX: Final = 64
_CODECS: Final[dict[str, CodecName]] = {
    "audio/x-mulaw": "PCMU",
    "audio/pcmu": "PCMU",
    "audio/x-alaw": "PCMA",
    "audio/pcma": "PCMA",
    "pcmu": "PCMU",
    "pcma": "PCMA",
}
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
TOKEN: Final = "token"  # the parameter of the stream that proves which call this is the sound of
TOKEN_CHARS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Start:
    """The stream begins. `token` is "" when there is none."""

    stream_id: str
    call_id: str
    codec: CodecName
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Media:
    """Sound of the caller, still encoded."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key, once per press."""

    digit: str

    def __repr__(self) -> str:
        """Never shows the digit."""
        return "Dtmf(·)"


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """The carrier has played everything before this mark, or has dropped it at a clear."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The caller has hung up."""


@dataclass(frozen=True, slots=True)
class Other:
    """A message that needs no answer: connected, the echo of our own track, what a carrier added."""


Message = Start | Media | Dtmf | MarkPlayed | Stop | Other


def parse_message(raw: str) -> Message:
    """One text message of the carrier. Raises MalformedMessage, or NoCommonCodec for a start we cannot speak."""
    if len(raw) > MESSAGE_CHARS_MAX:
        raise MalformedMessage("too long")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise MalformedMessage("not JSON") from None
    if not isinstance(body, dict):
        raise MalformedMessage("not an object")
    match body.get("event"):
        case "start":
            return _start(body)
        case "media":
            return _media(_part(body, "media"))
        case "dtmf":
            return Dtmf(_one_of(_part(body, "dtmf").get("digit"), KEYS))
        case "mark":
            return MarkPlayed(_text(_part(body, "mark").get("name"), MARK_CHARS_MAX))
        case "stop":
            return Stop()
        case str():
            return Other()
        case _:
            raise MalformedMessage("no event")


def media_message(stream_id: str, payload: bytes) -> str:
    """Sound for the caller."""
    body = {"payload": base64.b64encode(payload).decode()}
    return _dump({"event": "media", "streamSid": stream_id, "media": body})


def mark_message(stream_id: str, name: str) -> str:
    """Asks to be told when everything before has been played."""
    return _dump({"event": "mark", "streamSid": stream_id, "mark": {"name": name}})


def clear_message(stream_id: str) -> str:
    """Asks to drop what is buffered."""
    return _dump({"event": "clear", "streamSid": stream_id})


def _start(body: Mapping[str, Any]) -> Start:
    start = _part(body, "start")
    parameters = start.get("customParameters")
    token = parameters.get(TOKEN) if isinstance(parameters, dict) else None
    sound = start.get("mediaFormat")
    if not isinstance(sound, dict):
        raise MalformedMessage("no media format")
    encoding, rate_hz = sound.get("encoding"), sound.get("sampleRate", 8000)
    name = _CODECS.get(encoding.lower()) if isinstance(encoding, str) else None
    if name is None or str(rate_hz) != "8000":
        raise NoCommonCodec
    stream_id = start.get("streamSid") or body.get("streamSid")
    return Start(
        stream_id=_id(stream_id),
        call_id=_id(start.get("callSid") or stream_id),
        codec=name,
        token=token if isinstance(token, str) and len(token) <= TOKEN_CHARS_MAX else "",
    )


def _media(media: Mapping[str, Any]) -> Media | Other:
    if media.get("track", "inbound") not in ("inbound", "inbound_track"):
        return Other()
    payload = media.get("payload")
    if not isinstance(payload, str) or len(payload) > PAYLOAD_CHARS_MAX:
        raise MalformedMessage("no payload")
    try:
        return Media(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError):
        raise MalformedMessage("payload is not base64") from None


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise MalformedMessage(f"no {name}")
    return part


def _one_of(value: Any, allowed: frozenset[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise MalformedMessage("not a key")
    return value


def _text(value: Any, chars_max: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= chars_max:
        raise MalformedMessage("not a text")
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MalformedMessage("not an id")
    return value


def _dump(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))
