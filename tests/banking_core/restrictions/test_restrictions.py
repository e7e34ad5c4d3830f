"""Restrictions: one of a kind, the longer one holds, lifted with grounds, over by themselves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.customers import CustomerNotFound
from banking_core.restrictions import Restriction
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person


@pytest.fixture
async def person(database: Database, core: Core) -> Person:
    async with database.transaction() as session:
        return await make_person(session, core, "张伟", "13800000004")


async def test_a_restriction_is_over_by_itself_or_lifted_with_grounds(
    database: Database, core: Core, person: Person, clock: ManualClock
) -> None:
    hour = clock.now() + timedelta(hours=1)
    async with database.transaction() as session:
        await core.restrictions.lay(session, person.id, "low_limits", reason="recovery", until=hour)
        await core.restrictions.lay(session, person.id, "view_only", reason="odd log-in")
        assert await core.restrictions.kinds(session, person.id) == {"low_limits", "view_only"}
    clock.advance(seconds=3600)
    async with database.transaction() as session:
        assert await core.restrictions.kinds(session, person.id) == {"view_only"}
        lifted = await core.restrictions.lift(session, person.id, by="agent:1", grounds="called")
        assert lifted == ["view_only"]
        assert await core.restrictions.active(session, person.id) == []
    async with database.snapshot() as session:
        rows = {row.kind: row for row in await session.scalars(select(Restriction))}
    assert rows["view_only"].lifted_by == "agent:1: called"
    assert rows["low_limits"].lifted_by is None


@pytest.mark.parametrize(
    ("first", "second", "expected"), [(1, 2, 2), (2, 1, 2), (1, None, None), (None, 1, None)]
)
async def test_of_one_kind_the_longer_one_holds(
    database: Database,
    core: Core,
    person: Person,
    clock: ManualClock,
    first: int | None,
    second: int | None,
    expected: int | None,
) -> None:
    ends = [clock.now() + timedelta(hours=hours) if hours else None for hours in (first, second, expected)]
    async with database.transaction() as session:
        for end in ends[:2]:
            laid = await core.restrictions.lay(session, person.id, "low_limits", reason="r", until=end)
    assert laid.until == ends[2]


async def test_laid_by_several_at_once_it_is_one(database: Database, core: Core, person: Person) -> None:
    async def lay() -> None:
        async with database.transaction() as session:
            await core.restrictions.lay(session, person.id, "frozen", reason="r")

    await asyncio.gather(*(lay() for _ in range(4)))
    async with database.snapshot() as session:
        assert await session.scalar(select(func.count()).select_from(Restriction)) == 1


async def test_a_stranger_cannot_be_restricted(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        with pytest.raises(CustomerNotFound):
            await core.restrictions.lay(session, "nobody", "frozen", reason="r")
