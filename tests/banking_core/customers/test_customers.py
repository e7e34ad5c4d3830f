from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from banking_core.core import Core
from banking_core.customers import CustomerInvalid, CustomerNotFound, PhoneTaken
from banking_core.customers.id_numbers import birth_date_of, complete_id_number, is_valid_id_number
from banking_core.storage import Database

ID_NUMBER = complete_id_number("31010519840229001")
GOOD: dict[str, Any] = {"phone": "13800000004", "name": " 张伟 ", "id_number": ID_NUMBER}


async def test_a_customer_is_found_by_phone(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        created = await core.customers.create(session, **GOOD, level="vip")
    async with database.snapshot() as session:
        found = await core.customers.by_phone(session, "13800000004")
        assert found is not None
        assert (found.id, found.name, found.level) == (created.id, "张伟", "vip")
        assert found.birth_date == date(1984, 2, 29)
        assert await core.customers.by_phone(session, "13800000005") is None
        with pytest.raises(CustomerNotFound):
            await core.customers.get(session, "nobody")
        with pytest.raises(CustomerNotFound):
            await core.customers.lock(session, "nobody")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "1380000000"),
        ("phone", "12800000004"),
        ("phone", "１３８０００００００４"),
        ("name", "  "),
        ("id_number", "310105198402290011"),
        ("level", "royal"),
    ],
)
async def test_impossible_data_is_refused_and_the_field_named(
    database: Database, core: Core, field: str, value: str
) -> None:
    async with database.transaction() as session:
        with pytest.raises(CustomerInvalid) as refused:
            await core.customers.create(session, **{**GOOD, field: value})
        assert refused.value.field == field


async def test_a_phone_number_belongs_to_one_customer_even_in_a_race(database: Database, core: Core) -> None:
    async def register() -> bool:
        try:
            async with database.transaction() as session:
                await core.customers.create(session, **GOOD)
        except PhoneTaken:
            return False
        return True

    assert sum(await asyncio.gather(*(register() for _ in range(4)))) == 1


def test_identity_numbers_are_checked() -> None:
    assert is_valid_id_number("11010519491231002X")  # the example of the national standard
    assert is_valid_id_number("11010519491231002x")
    assert not is_valid_id_number("110105194912310021")
    assert not is_valid_id_number(complete_id_number("11010519491331002"))  # month 13
    assert not is_valid_id_number("1101051949123100")
    with pytest.raises(ValueError, match="identity number"):
        birth_date_of("110105194912310021")
