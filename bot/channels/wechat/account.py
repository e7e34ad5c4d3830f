"""The account as Tencent's console shows it: what signs, seals and names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["plain", "compatible", "safe"]


@dataclass(frozen=True)
class Account:
    """One Official Account. `aes_key` is needed in every mode but `plain`."""

    app_id: str
    app_secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(default="", repr=False)
    mode: Mode = "safe"
