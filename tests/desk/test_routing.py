"""Who is served first, by whom, and until when: the desk's part of a hand-off, with the injected clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from banking_core.clock import ManualClock
from banking_core.storage import Database
from bot.conversation.staffing import Asking
from bot.dialogue.reasons import Reason
from desk import Desk
from desk.cases import due_at
from desk.errors import FullyLoaded, NotCertified, NotOnDuty, OfferedElsewhere
from desk.matters import Matters, packaged_matters
from desk.models import Case, DeskAgent
from desk.passwords import AgentPasswords
from desk.reasons import REASON_TEXT

NINE_PM = datetime(2026, 10, 15, 13, 0, tzinfo=UTC)


class Crew:
    """A desk with agents who are on duty."""

    def __init__(self, db: Database, clock: ManualClock, desk: Desk) -> None:
        self.db, self.clock, self.desk = db, clock, desk
        self.held: dict[str, int] = {}

    async def agent(self, username: str, **traits: Any) -> str:
        async with self.db.transaction() as session:
            agent_id = await self.desk.add_agent(session, username, username, "")
            agent = await session.get(DeskAgent, agent_id)
            for name, value in traits.items():
                setattr(agent, name, value)
            await session.flush()
            await self.desk.set_presence(session, agent_id, "on_duty")
        return agent_id

    async def waits(self, conversation_id: str, reason: str = "asked", **known: Any) -> None:
        async with self.db.transaction() as session:
            asking = Asking(conversation_id, None, "web", reason, **known)
            await self.desk.queued(session, asking, await self.desk.place(session, asking))

    async def take(self, conversation_id: str, agent_id: str) -> None:
        async def held() -> int:
            return self.held.get(agent_id, 0) + 1

        async with self.db.transaction() as session:
            await self.desk.admit(session, conversation_id, agent_id, held)
        self.held[agent_id] = await held()

    async def says(self, conversation_id: str, speaker: Any) -> None:
        async with self.db.transaction() as session:
            await self.desk.spoke(session, conversation_id, speaker)

    async def ends(self, conversation_id: str) -> None:
        async with self.db.transaction() as session:
            await self.desk.ended(session, conversation_id, "closed")

    async def case(self, conversation_id: str) -> Case:
        async with self.db.snapshot() as session:
            found = await session.scalar(select(Case).where(Case.conversation_id == conversation_id))
        assert found is not None
        return found

    async def sign_of_life(self, *agent_ids: str) -> None:
        async with self.db.transaction() as session:
            for agent_id in agent_ids:
                await self.desk.heartbeat(session, agent_id)


def _with(**changed: Any) -> Matters:
    known = packaged_matters()
    return Matters(known.rules.model_copy(update=changed), known.hours)


@pytest.fixture
def crew(db: Database, clock: ManualClock, desk: Desk) -> Crew:
    return Crew(db, clock, desk)


@pytest.fixture
async def offering(db: Database, clock: ManualClock) -> AsyncIterator[Crew]:
    """A desk that offers each customer to one agent."""
    yield Crew(db, clock, Desk(clock, passwords=AgentPasswords(), matters=_with(assignment="offer")))


def test_every_reason_has_words_and_something_is_owed_to_it() -> None:
    codes = {str(reason) for reason in Reason}
    assert codes == set(packaged_matters().rules.reasons)
    assert codes < set(REASON_TEXT)


@pytest.mark.parametrize(
    ("reason", "level", "told", "chosen", "priority"),
    [
        ("asked", "standard", False, "asked", 50),
        ("asked", "vip", False, "vip", 20),
        ("clarification_failed", "vip", False, "vip", 20),
        ("complaint", "vip", False, "complaint", 20),
        ("asked", "standard", True, "scam", 10),
        ("risk", "vip", True, "scam", 10),
        ("distress", "standard", True, "distress", 10),
        ("asked", "gold", False, "asked", 50),
        ("nobody_knows", "", False, "asked", 50),
    ],
)
def test_a_general_reason_gives_way_and_the_most_urgent_one_decides_the_place(
    reason: str, level: str, told: bool, chosen: str, priority: int
) -> None:
    found = packaged_matters().choose(reason, level, told)
    assert (found.reason, found.priority) == (chosen, priority)


async def test_swindles_and_distress_come_before_vips_and_those_before_everybody_else(crew: Crew) -> None:
    await crew.agent("wang")
    await crew.waits("first")
    crew.clock.advance(seconds=1)
    await crew.waits("vip", level="vip")
    crew.clock.advance(seconds=1)
    await crew.waits("upset", "distress")
    crew.clock.advance(seconds=1)
    await crew.waits("story", told=True)
    async with crew.db.snapshot() as session:
        order = [case.conversation_id for case in await crew.desk.cases.under_way(session)]
    assert order == ["upset", "story", "vip", "first"]


async def test_only_certified_agents_and_supervisors_may_take_a_matter_that_asks_for_it(crew: Crew) -> None:
    plain = await crew.agent("wang")
    await crew.waits("story", told=True)
    with pytest.raises(NotCertified, match="not_certified") as refused:
        await crew.take("story", plain)
    assert "反诈认证" in refused.value.text
    await crew.take("story", await crew.agent("li", certifications=["anti_fraud"]))
    await crew.waits("again", told=True)
    await crew.take("again", await crew.agent("chen", role="supervisor"))


async def test_an_agent_is_told_whom_they_may_not_take_and_why(crew: Crew) -> None:
    plain = await crew.agent("wang", team="综合组")
    certified = await crew.agent("li", team="信贷组", certifications=["anti_fraud"])
    leads = await crew.agent("chen", role="supervisor")
    auditor = await crew.agent("auditor", role="auditor")
    await crew.waits("story", told=True)
    await crew.waits("asked")
    teams = {"story": "", "asked": "", "passed": "信贷组", "to_nobody": "财富组"}

    async def barred(agent_id: str) -> dict[str, str]:
        async with crew.db.snapshot() as session:
            return await crew.desk.cases.barred(session, agent_id, teams)

    assert await barred(plain) == {"story": "需要反诈认证", "passed": "由信贷组接待"}
    assert await barred(certified) == await barred(leads) == {}
    assert await barred(auditor) == dict.fromkeys(teams, "只能查看")


async def test_with_nobody_who_may_serve_the_customer_counts_as_alone(crew: Crew) -> None:
    async def staffed(**known: Any) -> bool:
        async with crew.db.snapshot() as session:
            return (await crew.desk.place(session, Asking("c", None, "web", "asked", **known))).staffed

    assert not await staffed()
    await crew.agent("auditor", role="auditor")
    assert not await staffed()
    await crew.agent("wang")
    assert await staffed() and not await staffed(told=True)


async def test_an_agent_on_a_break_or_with_full_hands_is_not_admitted(crew: Crew) -> None:
    wang = await crew.agent("wang", max_load=1)
    for name in ("one", "two"):
        await crew.waits(name)
    await crew.take("one", wang)
    with pytest.raises(FullyLoaded):
        await crew.take("two", wang)
    async with crew.db.transaction() as session:
        await crew.desk.set_presence(session, wang, "break", "meal")
    with pytest.raises(NotOnDuty):
        await crew.take("two", wang)
    assert (await crew.case("two")).agent_id is None, "a refusal leaves nothing behind"


async def test_the_first_reply_is_owed_by_what_the_reason_says(crew: Crew) -> None:
    wang = await crew.agent("wang", certifications=["anti_fraud"])
    await crew.waits("c", told=True)
    case = await crew.case("c")
    assert case.first_reply_due_at - case.queued_at == timedelta(seconds=60)
    await crew.take("c", wang)
    assert due_at(await crew.case("c")) == case.first_reply_due_at, "taking is no answer"
    crew.clock.advance(seconds=30)
    await crew.says("c", "agent")
    assert due_at(await crew.case("c")) is None


async def test_the_next_reply_is_owed_from_the_customer_s_first_word_on(crew: Crew) -> None:
    wang = await crew.agent("wang")
    await crew.waits("c")
    await crew.take("c", wang)
    await crew.says("c", "customer")
    assert (await crew.case("c")).asked_at is None, "the first reply is owed already"
    await crew.says("c", "agent")
    asked_at = crew.clock.now()
    await crew.says("c", "customer")
    crew.clock.advance(seconds=100)
    await crew.says("c", "customer")
    assert due_at(await crew.case("c")) == asked_at + timedelta(seconds=180)
    crew.clock.advance(seconds=81)
    await crew.says("c", "agent")
    case = await crew.case("c")
    assert (case.replies, case.late_replies, due_at(case)) == (2, 1, None)


async def test_a_reply_still_owed_at_the_end_counts_as_late_once_its_time_is_over(crew: Crew) -> None:
    wang = await crew.agent("wang")
    for name, pause_s in (("early", 10), ("late", 200)):
        await crew.waits(name)
        await crew.take(name, wang)
        await crew.says(name, "agent")
        await crew.says(name, "customer")
        crew.clock.advance(seconds=pause_s)
        await crew.ends(name)
    assert [(await crew.case(name)).late_replies for name in ("early", "late")] == [0, 1]


async def test_clocks_stand_still_while_the_desk_is_closed(crew: Crew) -> None:
    crew.clock.advance(seconds=(NINE_PM - crew.clock.now()).total_seconds() + 3590)  # ten seconds to ten
    await crew.agent("wang")
    await crew.waits("c")
    case = await crew.case("c")
    opens = datetime(2026, 10, 16, 0, 0, tzinfo=UTC)
    assert case.first_reply_due_at == opens + timedelta(seconds=170)
    assert case.resolution_due_at == opens + timedelta(minutes=60) - timedelta(seconds=10)


async def test_a_second_case_of_the_conversation_begins_after_the_first_has_ended(crew: Crew) -> None:
    wang = await crew.agent("wang")
    await crew.waits("c")
    await crew.take("c", wang)
    await crew.ends("c")
    crew.clock.advance(seconds=10)
    await crew.waits("c", "complaint")
    async with crew.db.snapshot() as session:
        [under_way] = await crew.desk.cases.under_way(session)
    assert (under_way.reason, under_way.agent_id) == ("complaint", None)


async def test_an_offer_goes_to_language_then_role_then_skill_then_the_least_busy(offering: Crew) -> None:
    busy = await offering.agent("a_busy", skills=["payments"])
    await offering.waits("own")
    await offering.take("own", busy)
    agents = {
        "plain": await offering.agent("b_plain"),
        "english": await offering.agent("c_speaker", languages=["zh", "en"]),
        "vip": await offering.agent("d_senior", role="senior"),
        "paying": await offering.agent("e_payer", skills=["payments"]),
    }
    known = {
        "english": {"language": "en"},
        "vip": {"level": "vip"},
        "paying": {"matter": "transfer_make"},
        "plain": {},
    }
    for name, facts in known.items():
        await offering.waits(name, **facts)
        assert (await offering.case(name)).offered_to == agents[name], name
        async with offering.db.transaction() as session:
            await offering.desk.ended(session, name, "left")


async def test_an_offer_let_go_by_reaches_the_next_agent_and_comes_back_after_everybody(
    offering: Crew,
) -> None:
    agents = {await offering.agent(name) for name in ("wang", "li")}
    await offering.waits("c")
    seen = []
    for _ in range(3):
        seen.append((await offering.case("c")).offered_to)
        offering.clock.advance(seconds=30)
        await offering.sign_of_life(*agents)
        async with offering.db.transaction() as session:
            assert await offering.desk.routing.offer(session) == 1
    assert set(seen[:2]) == agents and seen[2] == seen[0]


async def test_while_an_offer_stands_nobody_else_takes_the_customer(offering: Crew) -> None:
    wang = await offering.agent("wang")
    await offering.waits("c")
    li = await offering.agent("li")
    with pytest.raises(OfferedElsewhere):
        await offering.take("c", li)
    async with offering.db.transaction() as session:
        assert not await offering.desk.routing.pass_by(session, "c", li), "not hers to decline"
        assert await offering.desk.routing.pass_by(session, "c", wang)
    await offering.take("c", li)
    assert (await offering.case("c")).agent_id == li


async def test_an_agent_has_one_offer_at_a_time_and_none_with_full_hands(offering: Crew) -> None:
    wang = await offering.agent("wang", max_load=2)
    for name in ("one", "two", "three"):
        await offering.waits(name)
        offering.clock.advance(seconds=1)
    assert [(await offering.case(name)).offered_to for name in ("one", "two", "three")] == [wang, None, None]
    await offering.take("one", wang)
    async with offering.db.transaction() as session:
        await offering.desk.routing.offer(session)
    await offering.take("two", wang)
    async with offering.db.transaction() as session:
        assert await offering.desk.routing.offer(session) == 0
    await offering.ends("one")
    assert (await offering.case("three")).offered_to == wang, "free hands get the next one at once"
