"""Signatures of Tencent's callbacks and the envelope of the safe mode.

An envelope is base64 of AES-256-CBC, its IV the first 16 bytes of the key, over
`16 random bytes | length of the text, 4 bytes big-endian | text, UTF-8 | app id`, padded to 32 bytes as PKCS#7 pads.
CBC proves nothing, so an envelope is opened only after its signature was found right.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from bot.channels.wechat.errors import EnvelopeWrong

BLOCK_BITS = 256  # Tencent pads to 32 bytes, twice AES's own block
RANDOM_BYTES = 16
LENGTH_BYTES = 4
AES_KEY = re.compile(r"[A-Za-z0-9]{43}")


def signature(token: str, *parts: str) -> str:
    """SHA-1, in hexadecimal, of token and parts put in byte order and joined, as Tencent makes it."""
    sorted_parts = sorted(part.encode("utf-8", "surrogatepass") for part in (token, *parts))
    return hashlib.sha1(b"".join(sorted_parts), usedforsecurity=False).hexdigest()


def is_signed(token: str, given: str, *parts: str) -> bool:
    """Whether `given` is the signature of the parts; takes as long for a wrong one as for the right one."""
    expected = signature(token, *parts)
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


class Envelopes:
    """Seals and opens texts for one account."""

    def __init__(self, aes_key: str, app_id: str) -> None:
        """`aes_key` is the EncodingAESKey: 43 letters and digits, as the settings have checked."""
        assert AES_KEY.fullmatch(aes_key), "an EncodingAESKey has 43 letters and digits"
        self._key = base64.b64decode(aes_key + "=")
        self._app_id = app_id.encode()

    def seal(self, text: str) -> str:
        """The envelope of a text."""
        body = text.encode()
        plain = secrets.token_bytes(RANDOM_BYTES) + struct.pack(">I", len(body)) + body + self._app_id
        padder = PKCS7(BLOCK_BITS).padder()
        padded = padder.update(plain) + padder.finalize()
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()

    def open(self, envelope: str) -> str:
        """The text inside. Raises EnvelopeWrong, with one message whatever is wrong, so that nothing can be learned."""
        try:
            sealed = base64.b64decode(envelope, validate=True)
            decryptor = self._cipher().decryptor()
            padded = decryptor.update(sealed) + decryptor.finalize()
            unpadder = PKCS7(BLOCK_BITS).unpadder()
            plain = unpadder.update(padded) + unpadder.finalize()
            (length,) = struct.unpack_from(">I", plain, RANDOM_BYTES)
            start = RANDOM_BYTES + LENGTH_BYTES
            text, app_id = plain[start : start + length], plain[start + length :]
            if len(text) != length or not hmac.compare_digest(app_id, self._app_id):
                raise EnvelopeWrong
            return text.decode()
        except (ValueError, binascii.Error, struct.error):
            raise EnvelopeWrong from None

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))
