from __future__ import annotations

import pytest

from banking_core.settings import BankSettings


def test_a_short_otp_key_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="otp_key"):
        BankSettings(database_url="x", sandbox_database_url="y", otp_key=b"short")


def test_settings_never_print_their_secrets() -> None:
    settings = BankSettings(
        database_url="postgresql+asyncpg://user:pass-word@db/bank",
        sandbox_database_url="sqlite+aiosqlite:///x",
        otp_key=b"a very secret key of the server!",
    )
    assert "secret key" not in repr(settings)
    assert "pass-word" not in str(settings)
