"""The agent who calls a customer after an odd log-in settles who it was; on the real bank behind the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from banking_core.audit import AuditQuery, search
from banking_core.clock import ManualClock
from banking_core.core import Core, build_core
from banking_core.settings import BankSettings
from banking_core.storage import Base, Database
from desk import DEMO_PASSWORD, Desk
from desk.passwords import AgentPasswords
from desk.safety import BankSafety
from tests.banking_core.people import make_person
from tests.keys import vault

PHONE = "13800000004"


@pytest.fixture
def settings(tmp_path: Path) -> BankSettings:
    return BankSettings(
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}",
        sandbox_database_url=f"sqlite+aiosqlite:///{tmp_path / 'sandbox.db'}",
        otp_key=b"a server key used by tests only!",
        password_time_cost=1,
        password_memory_kib=8,
        password_lanes=1,
    )


@pytest.fixture
async def db(settings: BankSettings) -> AsyncIterator[Database]:
    """Every table: the bank is behind this desk."""
    database = Database(settings.database_url, vault=vault())
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
async def core(settings: BankSettings, clock: ManualClock, db: Database) -> AsyncIterator[Core]:
    core = build_core(settings, clock)
    await core.start(db)
    yield core
    await core.close()


@pytest.fixture
def desk(clock: ManualClock, core: Core) -> Desk:
    passwords = AgentPasswords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Desk(clock, passwords=passwords, safety=BankSafety(core))


@pytest.fixture
async def customer_id(db: Database, core: Core, desk: Desk) -> str:
    """After a log-in that was very odd: may move no money, and is to be called."""
    async with db.transaction() as session:
        person = await make_person(session, core, "张伟", PHONE)
        await core.restrictions.lay(session, person.id, "view_only", reason="high-risk login")
        await desk.ask_for(session, customer_id=person.id, phone=PHONE, what="高风险登录，请回电核实。")
    return person.id


async def kinds(world: Any, core: Core, customer_id: str) -> frozenset[str]:
    async with world.db.snapshot() as session:
        return await core.restrictions.kinds(session, customer_id)


async def called(page: Any, number: str) -> None:
    """The agent takes the ticket and calls the number it shows."""
    assert (await page.post(f"/tickets/{number}/phone"))[0] == 200


async def the_ticket(page: Any) -> dict[str, Any]:
    [ticket] = (await page.get("/tickets"))[1]["items"]
    assert isinstance(ticket, dict)
    return ticket


async def test_the_call_is_among_the_tickets_and_says_that_money_is_stopped(
    customer_id: str, world: Any
) -> None:
    ticket = await the_ticket(await world.seated("xiaowang"))
    assert ticket["restricted"] is True and "回电核实" in ticket["content"]
    assert ticket["phone"] == "138****0004"


async def test_the_customer_confirmed_on_the_phone_may_pay_again(
    customer_id: str, world: Any, core: Core
) -> None:
    page = await world.seated("xiaowang")
    number = (await the_ticket(page))["number"]
    await called(page, number)
    body = {"note": "回电核对了三项，是本人", "is_owner": True}
    status, answer = await page.post(f"/tickets/{number}/finish", body)
    assert (status, answer["ticket"]["status"]) == (200, "done")
    assert await kinds(world, core, customer_id) == frozenset()
    assert (await page.get("/tickets?status=done"))[1]["items"][0]["restricted"] is False
    async with world.db.snapshot() as session:
        page_ = await search(session, AuditQuery(customer_id=customer_id, action="restriction."))
        told = await core.notices.list(session, customer_id)
    lifted = page_.records[0]
    assert (lifted.action, lifted.actor_kind, lifted.channel) == ("restriction.lifted", "agent", "desk")
    assert lifted.after is not None and lifted.after["grounds"] == body["note"]
    assert "限制已经解除" in told[0].text


async def test_somebody_else_on_the_phone_freezes_the_customer(
    customer_id: str, world: Any, core: Core
) -> None:
    page = await world.seated("xiaowang")
    number = (await the_ticket(page))["number"]
    await called(page, number)
    body = {"note": "客户说没有登录过", "is_owner": False}
    assert (await page.post(f"/tickets/{number}/finish", body))[0] == 200
    assert await kinds(world, core, customer_id) == {"view_only", "frozen"}


async def test_a_call_nobody_answered_changes_nothing(customer_id: str, world: Any, core: Core) -> None:
    page = await world.seated("xiaowang")
    number = (await the_ticket(page))["number"]
    assert (await page.post(f"/tickets/{number}/finish", {"note": "没人接", "is_owner": "yes"}))[0] == 400
    assert (await page.post(f"/tickets/{number}/finish", {"note": "没人接"}))[0] == 200
    assert await kinds(world, core, customer_id) == {"view_only"}


async def test_the_second_agent_s_verdict_is_refused_with_the_ticket(
    customer_id: str, world: Any, core: Core
) -> None:
    wang, li = await world.seated("xiaowang"), await world.seated("xiaoli")
    number = (await the_ticket(wang))["number"]
    await called(wang, number)
    assert (await li.post(f"/tickets/{number}/phone"))[1]["error"]["code"] == "ticket_taken"
    await wang.post(f"/tickets/{number}/finish", {"note": "是本人", "is_owner": True})
    assert (await li.post(f"/tickets/{number}/finish", {"note": "不是", "is_owner": False}))[0] == 409
    assert await kinds(world, core, customer_id) == frozenset()


async def test_the_number_a_customer_gave_settles_nothing(
    customer_id: str, world: Any, core: Core, desk: Desk
) -> None:
    """A thief may ask to be called back at a number of his own."""
    async with world.db.transaction() as session:
        number = await desk.create_ticket(session, "c1", customer_id, "13999999999", "请回电")
    page = await world.seated("xiaowang")
    await called(page, number)
    for is_owner in (True, False):
        status, answer = await page.post(
            f"/tickets/{number}/finish", {"note": "核实了", "is_owner": is_owner}
        )
        assert (status, answer["error"]["code"]) == (403, "not_to_be_settled")
    assert await kinds(world, core, customer_id) == {"view_only"}
    assert (await page.post(f"/tickets/{number}/finish", {"note": "已回电"}))[0] == 200
    assert await kinds(world, core, customer_id) == {"view_only"}


async def test_nobody_settles_who_it_was_without_having_called(
    customer_id: str, world: Any, core: Core
) -> None:
    page = await world.seated("xiaowang")
    number = (await the_ticket(page))["number"]
    status, answer = await page.post(f"/tickets/{number}/finish", {"note": "是本人", "is_owner": True})
    assert (status, answer["error"]["code"]) == (403, "not_to_be_settled")
    assert "我来回电" in answer["error"]["text"]
    assert await kinds(world, core, customer_id) == {"view_only"}


async def test_an_agent_without_the_certification_settles_nothing(
    customer_id: str, world: Any, core: Core, desk: Desk
) -> None:
    async with world.db.transaction() as session:
        await desk.add_agent(session, "xiaozhao", "小赵", DEMO_PASSWORD)
    page = await world.seated("xiaozhao")
    number = (await the_ticket(page))["number"]
    await called(page, number)
    status, answer = await page.post(f"/tickets/{number}/finish", {"note": "是本人", "is_owner": True})
    assert status == 403 and "反诈认证" in answer["error"]["text"]
    assert await kinds(world, core, customer_id) == {"view_only"}
