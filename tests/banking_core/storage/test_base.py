from __future__ import annotations

import pytest
from sqlalchemy import func, select

from banking_core.core import Core
from banking_core.customers import Customer
from banking_core.errors import InvalidInput
from banking_core.identity.models import SecurityEvent
from banking_core.storage import Database, new_id
from tests.banking_core.people import make_person

LONGEST = "x" * 32


def noted(core: Core, outcome: str) -> SecurityEvent:
    return SecurityEvent(id=new_id(), kind="test", outcome=outcome, detail={}, at=core.clock.now())


async def test_text_longer_than_its_column_is_refused_and_nothing_is_written(
    database: Database, core: Core
) -> None:
    with pytest.raises(InvalidInput, match="outcome"):
        async with database.transaction() as session:
            await make_person(session, core, "张伟", "13800000004")
            session.add(noted(core, LONGEST + "x"))
    async with database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(Customer)) == 0


async def test_text_that_grows_too_long_is_refused_as_well(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        event = noted(core, LONGEST)
        session.add(event)
    with pytest.raises(InvalidInput, match="outcome"):
        async with database.transaction() as session:
            (await session.get_one(SecurityEvent, event.id)).outcome += "x"
    async with database.snapshot() as session:
        assert (await session.get_one(SecurityEvent, event.id)).outcome == LONGEST
