"""The two ciphers a value may be sealed with, both authenticated: AES-256-GCM and China's SM4-GCM (GB/T 32907).

Nonces are 96 random bits. Every column has keys of its own, derived from the master key, so one key seals far fewer
than the 2^32 values up to which random nonces are safe.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

CipherName = Literal["aes-256-gcm", "sm4-gcm"]
CIPHER_NAMES: tuple[CipherName, ...] = get_args(CipherName)
NONCE_BYTES = 12
TAG_BYTES = 16


class Cipher(Protocol):
    """Seals and opens under one key."""

    key_bytes: ClassVar[int]

    def __init__(self, key: bytes) -> None: ...

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """Nonce, ciphertext and tag."""
        ...

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """The plain bytes; raises InvalidTag, also on too few bytes."""
        ...


class Aes256Gcm:
    """AES-256-GCM."""

    key_bytes: ClassVar[int] = 32

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """See `Cipher`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """See `Cipher`."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise InvalidTag
        return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)


class Sm4Gcm:
    """SM4-GCM; SM4 keys have 128 bits."""

    key_bytes: ClassVar[int] = 16

    def __init__(self, key: bytes) -> None:
        self._algorithm = SM4(key)

    def seal(self, plain: bytes, associated: bytes) -> bytes:
        """See `Cipher`."""
        nonce = os.urandom(NONCE_BYTES)
        encryptor = BlockCipher(self._algorithm, GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated)
        return nonce + encryptor.update(plain) + encryptor.finalize() + encryptor.tag

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """See `Cipher`."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise InvalidTag
        nonce, tag = sealed[:NONCE_BYTES], sealed[-TAG_BYTES:]
        decryptor = BlockCipher(self._algorithm, GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated)
        return decryptor.update(sealed[NONCE_BYTES:-TAG_BYTES]) + decryptor.finalize()


# The letter a sealed value begins with. A letter is never given to another cipher.
CODES: Mapping[CipherName, str] = {"aes-256-gcm": "A", "sm4-gcm": "S"}
CIPHERS: Mapping[str, type[Cipher]] = {"A": Aes256Gcm, "S": Sm4Gcm}
