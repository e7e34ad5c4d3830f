"""What the bank must be told before it opens; the app's own settings build this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

OTP_KEY_BYTES_MIN = 16


@dataclass(frozen=True)
class BankSettings:
    """Plain values. `otp_key` is a server secret of at least 16 bytes.

    `terms_path` overrides single terms. The `password_` fields are argon2id's parameters; a
    session ends `session_ttl_h` hours after its log-in or `session_idle_min` minutes after its last use.
    `voice_audio_days` is for how long recordings of spoken passwords are kept; 0 keeps none.
    """

    database_url: str
    sandbox_database_url: str
    otp_key: bytes
    sms_provider: str = "sandbox"
    billing_provider: str = "sandbox"
    topup_provider: str = "sandbox"
    clearing_provider: str = "sandbox"
    realname_provider: str = "sandbox"
    terms_path: Path | None = None
    rules_path: Path | None = None
    password_time_cost: int = 3
    password_memory_kib: int = 65_536
    password_lanes: int = 4
    session_ttl_h: float = 12
    session_idle_min: float = 30
    voice_audio_days: int = 0

    def __post_init__(self) -> None:
        if len(self.otp_key) < OTP_KEY_BYTES_MIN:
            raise ValueError(f"otp_key must have at least {OTP_KEY_BYTES_MIN} bytes")

    def __repr__(self) -> str:
        return f"BankSettings(terms_path={self.terms_path!r}, secrets hidden)"
