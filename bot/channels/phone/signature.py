"""The carrier's signature: HMAC-SHA1 over the address as the carrier knows it and the sorted form fields."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from bot.channels.phone.errors import SignatureRefused

SIGNATURE_HEADER = "X-Twilio-Signature"


def sign(secret: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """The signature of a request; a web socket's handshake has no form."""
    text = url + "".join(f"{name}{value}" for name, value in sorted((form or {}).items()))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def require_signature(secret: str, url: str, given: str, form: Mapping[str, str] | None = None) -> None:
    """Raises SignatureRefused. Carriers sign a socket's address now with, now without a slash at its end."""
    bare = url.removesuffix("/")
    matches = [
        hmac.compare_digest(sign(secret, address, form).encode(), given.encode("utf-8", "replace"))
        for address in (bare, f"{bare}/")
    ]
    if not any(matches):
        raise SignatureRefused
