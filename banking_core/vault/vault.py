"""Sealing and opening values, and the blind indexes by which sealed values are found.

A sealed value is text: `A.k3.<base64url of nonce, ciphertext, tag>`, which says cipher and key. What it belongs to
(table, column, row) is authenticated with it, so a value copied to another place does not open there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from banking_core.checked import AnyText, checked
from banking_core.vault.ciphers import CIPHERS, CODES, Cipher, CipherName
from banking_core.vault.errors import KeyUnknown, SealBroken, VaultError
from banking_core.vault.keys import KeyRing

log = logging.getLogger(__name__)
LOOK_AGAIN_S = 1.0  # how long a changed key file may go unnoticed
INDEX_CHARS = 32  # 128 bits of HMAC-SHA256, in hexadecimal
KEY_ID_CHARS_MAX = 8
_SEPARATOR = "\x1f"


class Place(NamedTuple):
    """Where a value lives: one column of one row."""

    table: str
    column: str
    row: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of {self.row}"


class KeySource(Protocol):
    """Where keys come from: a file, or a bank's own key management."""

    def load(self) -> KeyRing:
        """The ring; raises KeyRingInvalid."""
        ...

    def stamp(self) -> object:
        """Something cheap that differs whenever `load` would give another ring."""
        ...


@dataclass(frozen=True)
class FixedKeys:
    """Keys that never change."""

    ring: KeyRing

    def load(self) -> KeyRing:
        """The ring."""
        return self.ring

    def stamp(self) -> object:
        """Always the same."""
        return self.ring.current


@checked
class Vault:
    """Seals with the current key, opens with every key of the ring.

    Follows changes of the source: it looks again at most once a second before sealing, and at once when it meets a
    key it does not know. `monotonic_s` is injected for tests.
    """

    def __init__(
        self,
        source: KeySource,
        *,
        cipher: CipherName = "aes-256-gcm",
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises KeyRingInvalid when the source has no usable keys."""
        self._source = source
        self._code = CODES[cipher]
        self._monotonic_s = monotonic_s
        self._derived: dict[tuple[str, str, str, str], Cipher] = {}
        self._index_keys: dict[str, bytes] = {}
        self._stamp = source.stamp()
        self._ring = source.load()
        self._look_again_at_s = monotonic_s() + LOOK_AGAIN_S

    @property
    def ring(self) -> KeyRing:
        """The keys as they are now."""
        if self._monotonic_s() >= self._look_again_at_s:
            self._look_again()
        return self._ring

    @property
    def prefix(self) -> str:
        """What every value begins with that is sealed now: `A.k3.`."""
        return f"{self._code}.{self.ring.current}."

    def seal(self, plain: bytes, place: Place) -> str:
        """Text that opens only at this place."""
        key_id = self.ring.current
        sealed = self._cipher(self._code, key_id, place).seal(plain, _associated(self._code, key_id, place))
        return f"{self._code}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: AnyText, place: Place) -> bytes:
        """What was sealed; raises SealBroken or KeyUnknown."""
        code, key_id, encoded = _parts(sealed, place)
        try:
            raw = base64.urlsafe_b64decode(encoded)
            if (
                base64.urlsafe_b64encode(raw).decode() != encoded
            ):  # decoding overlooks stray characters and bits
                raise InvalidTag
            return self._cipher(code, key_id, place).open(raw, _associated(code, key_id, place))
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken(f"{place} does not open with {key_id}") from None

    def index(self, table: str, column: str, value: str) -> str:
        """The blind index of a value: the same for equal values of one column, and silent about anything else."""
        name = f"{table}.{column}"
        key = self._index_keys.get(name)
        if key is None:
            key = self._index_keys[name] = _derive(self._ring.index_secret, f"index/{name}", 32)
        return hmac.digest(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:INDEX_CHARS]

    def _cipher(self, code: str, key_id: str, place: Place) -> Cipher:
        """The cipher of one column under one key; keys are derived once."""
        wanted = (code, key_id, place.table, place.column)
        cipher = self._derived.get(wanted)
        if cipher is None:
            if key_id not in self._ring.keys:
                self._look_again()
            key = self._ring.keys.get(key_id)
            if key is None:
                raise KeyUnknown(f"{place} was sealed with {key_id}, which is not in the ring")
            kind = CIPHERS[code]
            secret = _derive(key.secret, f"seal/{code}/{place.table}.{place.column}", kind.key_bytes)
            cipher = self._derived[wanted] = kind(secret)
        return cipher

    def _look_again(self) -> None:
        """Loads the ring when the source has changed; keys in use are kept when it cannot be read just now."""
        self._look_again_at_s = self._monotonic_s() + LOOK_AGAIN_S
        stamp = self._source.stamp()
        if stamp == self._stamp:
            return
        try:
            self._ring, self._stamp = self._source.load(), stamp
        except VaultError as error:
            log.error("keys not loaded again, going on with the ones at hand code=%s", error.code)
        self._derived.clear()
        self._index_keys.clear()


def _parts(sealed: str, place: Place) -> tuple[str, str, str]:
    """Cipher, key id and the rest of a sealed value; raises SealBroken on anything else."""
    code, first, rest = sealed.partition(".")
    key_id, second, encoded = rest.partition(".")
    if not (first and second) or code not in CIPHERS or not 0 < len(key_id) <= KEY_ID_CHARS_MAX:
        raise SealBroken(f"{place} holds no sealed value")
    return code, key_id, encoded


def _associated(code: str, key_id: str, place: Place) -> bytes:
    return _SEPARATOR.join((code, key_id, *place)).encode()


def _derive(secret: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=f"zhanggui/{purpose}".encode()).derive(secret)
