"""The name of a receiving code: nobody can guess it, and no rule that reads amounts or card numbers finds one in it."""

from __future__ import annotations

import secrets
import string
from typing import Final

TOKEN_LETTERS: Final = 26  # of 26 kinds: 122 bits
TOKEN_PATTERN: Final = f"[a-z]{{{TOKEN_LETTERS}}}"


def new_token() -> str:
    """Small letters only."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(TOKEN_LETTERS))
