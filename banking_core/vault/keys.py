"""The key rings: master keys by id, the one that seals now, and the key of the blind indexes.

There are two. `voice` seals what is made of customers' voices, `data` everything else; the first letter of a key's id
says which ring it is of, so that a file in the wrong place is told at once.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from banking_core.checked import checked, checked_function
from banking_core.vault.errors import KeyRingInvalid

KEY_BYTES = 32
VERSION = 1
KEYS_MAX = 100
RingName = Literal["data", "voice"]
RINGS: tuple[RingName, ...] = get_args(RingName)
LETTERS: Mapping[RingName, str] = {"data": "k", "voice": "v"}
RING_OF_LETTER: Mapping[str, RingName] = {letter: name for name, letter in LETTERS.items()}
_KEY_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Key:
    """One master key of 256 bits."""

    id: str
    secret: bytes = field(repr=False)
    made_at: datetime


@checked
@dataclass(frozen=True)
class KeyRing:
    """Every key that values may be sealed with. `current` seals; the others only open.

    `rotating` is set from the moment a new key is made until every value has been sealed with it.
    """

    current: str
    keys: Mapping[str, Key]
    index_secret: bytes = field(repr=False)
    rotating: bool = False

    def with_new_key(self, now: datetime) -> KeyRing:
        """The ring with one key more, which is the current one from now on."""
        number = max(int(key_id[1:]) for key_id in self.keys) + 1
        key = Key(f"{self.current[0]}{number}", secrets.token_bytes(KEY_BYTES), now)
        return replace(self, current=key.id, keys={**self.keys, key.id: key}, rotating=True)

    def finished(self) -> KeyRing:
        """The ring once nothing is sealed with an old key any more."""
        return replace(self, rotating=False)

    def without(self, key_id: str) -> KeyRing:
        """The ring without an old key; whatever is still sealed with it can never be read again."""
        if key_id == self.current or key_id not in self.keys:
            raise KeyRingInvalid(f"{key_id} is the current key or none of the ring")
        return replace(self, keys={id_: key for id_, key in self.keys.items() if id_ != key_id})

    def dump(self) -> str:
        """The JSON of the key file."""
        keys = {
            key.id: {"secret": _encode(key.secret), "made_at": key.made_at.astimezone(UTC).isoformat()}
            for key in self.keys.values()
        }
        ring = {
            "version": VERSION,
            "current": self.current,
            "keys": keys,
            "index_secret": _encode(self.index_secret),
            "rotating": self.rotating,
        }
        return json.dumps(ring, indent=1) + "\n"


@checked_function
def new_ring(now: datetime, name: RingName = "data") -> KeyRing:
    """A fresh ring with one key."""
    key = Key(f"{LETTERS[name]}1", secrets.token_bytes(KEY_BYTES), now)
    return KeyRing(key.id, {key.id: key}, secrets.token_bytes(KEY_BYTES))


@checked_function
def ring_of(key_id: str) -> RingName | None:
    """Which ring a key with this id would be of."""
    return RING_OF_LETTER.get(key_id[:1])


def parse_ring(text: str, name: RingName = "data") -> KeyRing:
    """Reads what `KeyRing.dump` wrote; raises KeyRingInvalid without quoting anything of it."""
    try:
        data: Any = json.loads(text)
        if data["version"] != VERSION:
            raise KeyRingInvalid("the key file is of another version")
        keys = {
            key_id: Key(key_id, _decode(entry["secret"]), _instant(entry["made_at"]))
            for key_id, entry in data["keys"].items()
        }
        ring = KeyRing(data["current"], keys, _decode(data["index_secret"]), data["rotating"] is True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise KeyRingInvalid("the key file is malformed") from None
    numbers = [_KEY_NUMBER.fullmatch(key_id[1:]) for key_id in keys]
    if ring.current not in keys or len(keys) > KEYS_MAX or not all(numbers):
        raise KeyRingInvalid("the key file names no usable current key")
    if not all(ring_of(key_id) == name for key_id in keys):
        raise KeyRingInvalid(f"the key file is not that of the ring '{name}'")
    return ring


def _encode(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def _decode(text: str) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise KeyRingInvalid("a key is not base64") from None
    if len(secret) != KEY_BYTES:
        raise KeyRingInvalid(f"a key does not have {KEY_BYTES} bytes")
    return secret


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise KeyRingInvalid("a key was made at a naive time")
    return instant
