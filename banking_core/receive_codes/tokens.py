"""The name of a receiving code: nobody can guess it, and no rule that reads amounts, card numbers or secrets finds one
in it, nor anybody a word: there are consonants only, and no V.
"""

from __future__ import annotations

import secrets
from typing import Final

TOKEN_LETTERS: Final = 26  # of 20 kinds: 112 bits
LETTERS: Final = "bcdfghjklmnpqrstwxyz"
TOKEN_PATTERN: Final = f"[{LETTERS}]{{{TOKEN_LETTERS}}}"


def new_token() -> str:
    """Small letters only."""
    return "".join(secrets.choice(LETTERS) for _ in range(TOKEN_LETTERS))
