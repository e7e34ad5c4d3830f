"""A customer who can log in, in front of a bank whose codes are known and whose hashes are cheap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from banking_core.core import Core
from banking_core.settings import BankSettings
from banking_core.storage import Database
from tests.banking_core.identity.logging_in import Customer, known_code


@pytest.fixture
def settings(settings: BankSettings) -> BankSettings:
    """Argon2 that costs next to nothing."""
    return replace(settings, password_time_cost=1, password_memory_kib=8, password_lanes=1)


@pytest.fixture
def code_is_known() -> Iterator[None]:
    """Every code that is sent is CODE."""
    with known_code():
        yield


@pytest.fixture
async def customer(database: Database, core: Core, code_is_known: None) -> Customer:
    return await Customer.open(database, core)
