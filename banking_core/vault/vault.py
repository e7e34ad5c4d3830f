"""Sealing and opening values, and the blind indexes by which sealed values are found.

A sealed value is text: `A.k3.<base64url of nonce, ciphertext, tag>`, which says cipher and key. What it belongs to
(table, column, row) is authenticated with it, so a value copied to another place does not open there. Values of the
ring `voice` (`A.v1.…`) were sealed by the ring `data` in former versions, and open so until they are sealed anew.
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
from banking_core.vault.errors import KeyRingInvalid, KeyUnknown, SealBroken, VaultError
from banking_core.vault.keys import RING_OF_LETTER, KeyRing, RingName

log = logging.getLogger(__name__)
LOOK_AGAIN_S = 1.0  # how long a changed key file may go unnoticed
INDEX_CHARS = 32  # 128 bits of HMAC-SHA256, in hexadecimal
KEY_ID_CHARS_MAX = 8
_SEPARATOR = "\x1f"


class Place(NamedTuple):
    """Where a value lives, one column of one row, and which ring seals what lives there."""

    table: str
    column: str
    row: str
    ring: RingName = "data"

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


class _Followed:
    """A ring as its source has it: looked at again when that changed, kept when it cannot be read just now."""

    def __init__(self, source: KeySource, monotonic_s: Callable[[], float]) -> None:
        self._source, self._monotonic_s = source, monotonic_s
        self._stamp = source.stamp()
        self.ring = source.load()
        self.derived: dict[tuple[str, str, str, str], Cipher] = {}
        self.index_keys: dict[str, bytes] = {}
        self._look_again_at_s = monotonic_s() + LOOK_AGAIN_S

    def current(self) -> KeyRing:
        """The keys as they are now."""
        if self._monotonic_s() >= self._look_again_at_s:
            self.look_again()
        return self.ring

    def look_again(self) -> None:
        """Loads the ring when the source has changed."""
        self._look_again_at_s = self._monotonic_s() + LOOK_AGAIN_S
        stamp = self._source.stamp()
        if stamp == self._stamp:
            return
        try:
            self.ring, self._stamp = self._source.load(), stamp
        except VaultError as error:
            log.error("keys not loaded again, going on with the ones at hand code=%s", error.code)
        self.derived.clear()
        self.index_keys.clear()

    def cipher(self, code: str, key_id: str, place: Place) -> Cipher:
        """The cipher of one column under one key; keys are derived once."""
        wanted = (code, key_id, place.table, place.column)
        cipher = self.derived.get(wanted)
        if cipher is None:
            if key_id not in self.ring.keys:
                self.look_again()
            key = self.ring.keys.get(key_id)
            if key is None:
                raise KeyUnknown(f"{place} was sealed with {key_id}, which is not in the ring")
            kind = CIPHERS[code]
            secret = _derive(key.secret, f"seal/{code}/{place.table}.{place.column}", kind.key_bytes)
            cipher = self.derived[wanted] = kind(secret)
        return cipher


@checked
class Vault:
    """Seals with the current key of the place's ring, opens with every key of it.

    Follows changes of the sources: it looks again at most once a second before sealing, and at once when it meets a
    key it does not know. `monotonic_s` is injected for tests.
    """

    def __init__(
        self,
        source: KeySource,
        *,
        voice: KeySource | None = None,
        cipher: CipherName = "aes-256-gcm",
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`voice` holds the ring of that name; without it nothing is made of voices here, and all else goes on.

        Raises KeyRingInvalid when a source has no usable keys.
        """
        self._code = CODES[cipher]
        self._data = _Followed(source, monotonic_s)
        self._followed: dict[RingName, _Followed] = {"data": self._data}
        if voice is not None:
            self._followed["voice"] = _Followed(voice, monotonic_s)

    @property
    def rings(self) -> tuple[RingName, ...]:
        """The rings whose keys are here."""
        return tuple(self._followed)

    @property
    def ring(self) -> KeyRing:
        """The keys of the ring `data` as they are now."""
        return self.ring_named("data")

    def ring_named(self, name: RingName) -> KeyRing:
        """The keys of a ring as they are now; raises KeyRingInvalid where they are not here."""
        return self._of(name).current()

    @property
    def prefix(self) -> str:
        """What every value of the ring `data` begins with that is sealed now: `A.k3.`."""
        return self.prefix_of("data")

    def prefix_of(self, name: RingName) -> str:
        """The same of any ring; raises KeyRingInvalid where its keys are not here."""
        return f"{self._code}.{self.ring_named(name).current}."

    def seal(self, plain: bytes, place: Place) -> str:
        """Text that opens only at this place. Raises KeyRingInvalid where the keys of its ring are not here."""
        followed = self._of(place.ring)
        key_id = followed.current().current
        cipher = followed.cipher(self._code, key_id, place)
        sealed = cipher.seal(plain, _associated(self._code, key_id, place))
        return f"{self._code}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: AnyText, place: Place) -> bytes:
        """What was sealed; raises SealBroken, KeyUnknown, or KeyRingInvalid where its ring is not here."""
        code, key_id, encoded = _parts(sealed, place)
        name = RING_OF_LETTER.get(key_id[:1])
        if name is None:
            raise KeyUnknown(f"{place} was sealed with {key_id}, which is not in the ring")
        if name not in (place.ring, "data"):
            raise SealBroken(f"{place} was sealed with a key of another ring")
        cipher = self._of(name).cipher(code, key_id, place)
        try:
            raw = base64.urlsafe_b64decode(encoded)
            if (
                base64.urlsafe_b64encode(raw).decode() != encoded
            ):  # decoding overlooks stray characters and bits
                raise InvalidTag
            return cipher.open(raw, _associated(code, key_id, place))
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken(f"{place} does not open with {key_id}") from None

    def index(self, table: str, column: str, value: str) -> str:
        """The blind index of a value: the same for equal values of one column, and silent about anything else."""
        name = f"{table}.{column}"
        key = self._data.index_keys.get(name)
        if key is None:
            key = self._data.index_keys[name] = _derive(self._data.ring.index_secret, f"index/{name}", 32)
        return hmac.digest(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:INDEX_CHARS]

    def _of(self, name: RingName) -> _Followed:
        followed = self._followed.get(name)
        if followed is None:
            raise KeyRingInvalid(f"the keys of the ring '{name}' are not here", ring=name)
        return followed


def _parts(sealed: str, place: Place) -> tuple[str, str, str]:
    """Cipher, key id and the rest of a sealed value; raises SealBroken on anything else."""
    code, first, rest = sealed.partition(".")
    key_id, second, encoded = rest.partition(".")
    if not (first and second) or code not in CIPHERS or not 0 < len(key_id) <= KEY_ID_CHARS_MAX:
        raise SealBroken(f"{place} holds no sealed value")
    return code, key_id, encoded


def _associated(code: str, key_id: str, place: Place) -> bytes:
    return _SEPARATOR.join((code, key_id, place.table, place.column, place.row)).encode()


def _derive(secret: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=f"zhanggui/{purpose}".encode()).derive(secret)
