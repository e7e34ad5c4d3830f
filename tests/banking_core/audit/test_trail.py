"""An act is in the trail exactly when it happened, says who and from where, and never gives anything away."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import (
    AuditInvalid,
    AuditPage,
    AuditQuery,
    AuditRecord,
    Who,
    acting,
    current,
    note,
    search,
)
from banking_core.audit.trail import _masked
from banking_core.audit.verify import verify
from banking_core.clock import ManualClock
from banking_core.core import Core
from banking_core.storage import Database
from tests.banking_core.people import fund, make_person

AGENT = Who("agent", "a1", channel="desk", address="203.0.113.7", correlation_id="feed1234")


class Undone(Exception):
    """The work is given up."""


async def trail(database: Database, **query: Any) -> list[AuditRecord]:
    """Everything found, oldest first."""
    async with database.snapshot() as session:
        page = await search(session, AuditQuery(**query), limit=1000)
        assert page.next_before_id is None
        return list(reversed(page.records))


async def actions(database: Database, **query: Any) -> list[str]:
    return [record.action for record in await trail(database, **query)]


async def test_a_note_is_written_with_the_change_and_says_everything(
    database: Database, clock: ManualClock
) -> None:
    with acting(AGENT):
        async with database.transaction() as session:
            note(
                session,
                "card.frozen",
                at=clock.now(),
                customer_id="c1",
                object_kind="card",
                object_id="k1",
                before={"status": "active"},
                after={"status": "frozen"},
            )
            note(session, "customer.read", at=clock.now(), customer_id="c1", allowed=False)
            assert (await session.scalars(select(AuditRecord))).all() == [], "it waits for the commit"
    first, second = await trail(database)
    assert (first.actor_kind, first.actor_id, first.customer_id) == ("agent", "a1", "c1")
    assert (first.channel, first.address, first.correlation_id) == ("desk", "203.0.113.7", "feed1234")
    assert (first.action, first.object_kind, first.object_id) == ("card.frozen", "card", "k1")
    assert (first.before, first.after, first.allowed) == ({"status": "active"}, {"status": "frozen"}, True)
    assert (first.at, second.allowed, second.before) == (clock.now(), False, None)


async def test_what_did_not_happen_is_not_in_it(database: Database, clock: ManualClock) -> None:
    with pytest.raises(Undone):
        async with database.transaction() as session:
            note(session, "never", at=clock.now())
            raise Undone
    async with database.transaction() as session:
        note(session, "first", at=clock.now())
        with pytest.raises(Undone):
            async with session.begin_nested():
                note(session, "undone", at=clock.now())
                async with session.begin_nested():
                    note(session, "undone too", at=clock.now())
                raise Undone
        async with session.begin_nested():
            note(session, "kept", at=clock.now())
        note(session, "last", at=clock.now())
    async with database.snapshot() as session:
        note(session, "only looked at", at=clock.now())
    assert sorted(await actions(database)) == ["first", "kept", "last"]


async def test_a_failing_last_step_undoes_the_change_too(database: Database, core: Core) -> None:
    """Nothing is done without its record: when the record cannot be written the change is not there either."""
    with pytest.raises(Exception, match="actor_kind"):
        async with database.transaction() as session:
            await make_person(session, core, "张伟", "13800000004")
            note(session, "x", at=core.clock.now(), by=Who("nobody", "n"))  # type: ignore[arg-type]
    async with database.snapshot() as session:
        assert await core.customers.by_phone(session, "13800000004") is None
    assert await actions(database) == []


def test_who_acts_is_known_inside_and_forgotten_outside() -> None:
    assert current().is_bank
    with acting(AGENT) as outer:
        assert current() == AGENT == outer
        with acting(Who("customer", "c1")) as inner:
            assert current() == inner and len(inner.correlation_id) == 8
        assert current() == AGENT
    assert current().is_bank
    assert "203.0" not in repr(AGENT)


async def test_a_whole_number_is_masked_and_what_is_too_large_is_refused(
    database: Database, clock: ManualClock
) -> None:
    async with database.transaction() as session:
        after = {
            "phone": "13812341234",
            "inner": [{"card": "6222021234567890123"}],
            "amount_fen": 13812341234,
        }
        note(session, "x", at=clock.now(), after=after)
        for bad in ({"a": "x" * 5000}, {"a": object()}, {"a": float("nan")}):
            with pytest.raises(AuditInvalid):
                note(session, "y", at=clock.now(), after=bad)
    (record,) = await trail(database)
    assert record.after == {"phone": "****1234", "inner": [{"card": "****0123"}], "amount_fen": 13812341234}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(derandomize=True, max_examples=200)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_whatever_is_noted_can_be_stored_and_hashed_again(values: dict[str, Any]) -> None:
    masked = _masked(values)
    assert masked is not None
    text = json.dumps(masked, ensure_ascii=False)
    assert "\x00" not in text and json.loads(text.encode()) == masked


async def test_odd_texts_are_stored_and_verify(database: Database, clock: ManualClock) -> None:
    odd = "a\x00b\ud800c" + "长" * 200
    async with database.transaction() as session:
        note(
            session,
            odd,
            at=clock.now(),
            object_kind=odd,
            object_id=odd,
            after={odd: odd},
            by=Who("agent", odd),
        )
    (record,) = await trail(database)
    assert record.action.startswith("ab?c长") and len(record.action) == 48
    async with database.snapshot() as session:
        assert (await verify(session)).ok


async def test_the_trail_is_asked_by_customer_agent_and_time_page_by_page(
    database: Database, clock: ManualClock
) -> None:
    async def write(number: int) -> None:
        async with database.transaction() as session:
            by = Who("agent", f"a{number % 2}")
            note(session, f"n{number}", at=clock.now(), customer_id=f"c{number % 3}", by=by)

    for number in range(12):
        await write(number)
        clock.advance(seconds=60)
    assert await actions(database, customer_id="c1") == ["n1", "n4", "n7", "n10"]
    assert await actions(database, actor_id="a1", customer_id="c1") == ["n1", "n7"]
    start = clock.now() - timedelta(seconds=60 * 4)
    assert await actions(database, since=start) == ["n8", "n9", "n10", "n11"]
    assert await actions(database, since=start, until=start + timedelta(seconds=60)) == ["n8"]
    assert await actions(database, action="n1") == ["n1", "n10", "n11"]
    assert await actions(database, action="n%") == []
    seen: list[str] = []
    before: int | None = None
    while True:
        async with database.snapshot() as session:
            page: AuditPage = await search(session, AuditQuery(), before_id=before, limit=5)
        seen += [record.action for record in page.records]
        await write(100)  # what is added meanwhile does not shift the pages
        before = page.next_before_id
        if before is None:
            break
    assert seen == [f"n{number}" for number in range(11, -1, -1)]


async def test_many_at_once_keep_the_chains_whole_and_nobody_waits_in_a_circle(
    database: Database, core: Core
) -> None:
    async with database.transaction() as session:
        people = [await make_person(session, core, f"客户{n}", f"138000000{n:02}") for n in range(6)]

    async def work(number: int) -> None:
        async def book(session: AsyncSession) -> None:
            first, second = people[number % 6], people[(number * 5 + 1) % 6]
            note(session, "a", at=core.clock.now(), customer_id=first.id)
            await fund(session, core, first.account, 100 + number)
            note(session, "b", at=core.clock.now(), customer_id=second.id)
            await fund(session, core, second.account, 200 + number)

        await database.run(book)

    await asyncio.gather(*(work(number) for number in range(24)))
    async with database.snapshot() as session:
        report = await verify(session)
    assert report.ok and sorted(await actions(database, action="a")) == ["a"] * 24
    assert report.record_count >= 48
