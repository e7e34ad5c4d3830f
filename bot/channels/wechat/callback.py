"""Opening a callback: signature, time, envelope, message; and sealing the answer.

In the plain mode the signature covers time and nonce but not the body, so `gate` binds each nonce to one body. In the
other two only the sealed part is believed: in the compatible mode anybody may have written the readable one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.channels.wechat.account import Account
from bot.channels.wechat.errors import EnvelopeWrong, OutOfTime, SignatureWrong
from bot.channels.wechat.messages import Message, read_message
from bot.channels.wechat.sealing import Envelopes, is_signed, signature
from bot.channels.wechat.xml import parse_xml, write_xml

WINDOW = timedelta(minutes=5)  # for clocks that differ and for the tries of a quarter of a minute
_WORD_CHARS_MAX = 128


@dataclass(frozen=True)
class Stamp:
    """What the address of a callback says: when, with what nonce, signed how."""

    signature: str
    timestamp: str
    nonce: str
    msg_signature: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Stamp:
        """From the query of the request; what is missing is empty and will fit no signature."""
        names = ("signature", "timestamp", "nonce", "msg_signature")
        return cls(**{name: query.get(name, "")[:_WORD_CHARS_MAX] for name in names})


class Callbacks:
    """Reads and answers the callbacks of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._envelopes = None if account.mode == "plain" else Envelopes(account.aes_key, account.app_id)

    def prove(self, stamp: Stamp, now: datetime) -> None:
        """Raises SignatureWrong or OutOfTime unless Tencent signed this stamp within the last minutes."""
        if not is_signed(self._account.token, stamp.signature, stamp.timestamp, stamp.nonce):
            raise SignatureWrong
        if not (stamp.timestamp.isascii() and stamp.timestamp.isdigit() and stamp.nonce):
            raise OutOfTime
        if abs(now.timestamp() - int(stamp.timestamp)) > WINDOW.total_seconds():
            raise OutOfTime

    def open(self, stamp: Stamp, body: bytes) -> Message:
        """The message of a proved stamp. Raises XmlRefused, SignatureWrong or EnvelopeWrong."""
        fields = parse_xml(body)
        if self._envelopes is None:
            return read_message(fields)
        envelope = fields.get("Encrypt")
        if not isinstance(envelope, str):
            raise EnvelopeWrong
        token = self._account.token
        if not is_signed(token, stamp.msg_signature, stamp.timestamp, stamp.nonce, envelope):
            raise SignatureWrong
        return read_message(parse_xml(self._envelopes.open(envelope).encode()))

    def answer(self, fields: Mapping[str, Any], now: datetime) -> str:
        """The XML of a reply, sealed where the mode wants it."""
        text = write_xml(fields)
        if self._envelopes is None:
            return text
        return sealed(self._account.token, self._envelopes, text, now)


def sealed(token: str, envelopes: Envelopes, text: str, now: datetime, **more: str) -> str:
    """The XML around an envelope, with its own signature; `more` are fields Tencent puts beside it."""
    envelope, timestamp, nonce = envelopes.seal(text), str(int(now.timestamp())), secrets.token_hex(8)
    return write_xml(
        {
            **more,
            "Encrypt": envelope,
            "MsgSignature": signature(token, timestamp, nonce, envelope),
            "TimeStamp": int(timestamp),
            "Nonce": nonce,
        }
    )
