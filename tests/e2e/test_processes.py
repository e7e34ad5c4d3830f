"""Two app processes on one PostgreSQL: customer and agent at different ones, and one of the two killed with -9.

They share one understanding service, and nothing else but the databases and the keys.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from banking_core.clock import ManualClock
from banking_core.mandates import Mandate, MandateRun
from banking_core.notices import Notice
from banking_core.scheduling import JobRun
from bot.assembly import build_product
from bot.evaluation.demo_bank import fill, settings_for
from bot.understanding.client import NluClient
from desk.models import Case, DeskAgent, Presence
from migrations.runner import upgrade
from tests.e2e.clerks import Agent
from tests.e2e.counter import CODES_AT_ONCE, BackOffice, Counter, Line
from tests.e2e.payers import Payer, assert_paid_once, assert_whole, go_on, up_to_the_last_word
from tests.postgres import Cluster, postgres_cluster

__all__ = ["postgres_cluster"]
pytestmark = [pytest.mark.process, pytest.mark.nlu, pytest.mark.asyncio(loop_scope="session")]
PAYEES = {
    "林小满": ("妈妈", False),
    "陈国强": ("老婆", True),
    "张伟": ("王小明", True),
}  # and whether confirmed
TO_OTHER_BANKS = 1
TAKEN_OVER_WITHIN_S = 60  # a lease, and the next look


@dataclass
class Pair:
    """Both processes."""

    first: Counter
    second: Counter

    async def up(self) -> None:
        """Starts what does not run."""
        down = [c for c in (self.first, self.second) if c.process is None or c.process.poll() is not None]
        for counter in down:
            counter.launch()
        for counter in down:
            await counter.ready()

    def by_pid(self, pid: int) -> tuple[Counter, Counter]:
        """The process with this id, and the other one."""
        assert self.first.process is not None
        both = self.first, self.second
        return both if self.first.process.pid == pid else (both[1], both[0])


@pytest.fixture(scope="module")
def urls(postgres_cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Of an empty bank and of the outside parties' database."""
    with postgres_cluster.empty() as bank, postgres_cluster.empty() as sandbox:
        yield bank, sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(
    nlu: NluClient, urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    """Both on one filled bank; not started yet."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    bank, sandbox = urls
    settings = settings_for(folders[0], database_url=bank, sandbox_database_url=sandbox)
    await upgrade(bank, vault=settings.open_vault())
    product = build_product(settings, clock=ManualClock(datetime.now(UTC)))
    await fill(product)
    await product.close()
    both = Pair(*(_counter(folder, folders[0], nlu.url, urls) for folder in folders))
    yield both
    both.first.stop()
    both.second.stop()


def _counter(folder: Path, keys: Path, nlu_url: str, urls: tuple[str, str]) -> Counter:
    return Counter(
        folder,
        nlu_url,
        database_url=urls[0],
        terms=CODES_AT_ONCE,
        sandbox_database_url=urls[1],
        key_file=keys / "keys.json",
    )


@pytest_asyncio.fixture(loop_scope="session")
async def office(pair: Pair) -> AsyncIterator[BackOffice]:
    """The books; both processes run."""
    await pair.up()
    office = pair.first.office()
    yield office
    await office.close()


async def _at(counter: Counter, office: BackOffice, name: str) -> tuple[Line, str]:
    """A customer's open page at a process, and the conversation."""
    token, conversation_id = await office.seat(name)
    line = Line(counter, token)
    await line.open()
    return line, conversation_id


async def _move(line: Line, counter: Counter) -> None:
    """The page comes back at another process and hears everything again."""
    line.counter, line.messages = counter, {}
    await line.open()


async def _assert_said_once(office: BackOffice, conversation_id: str, texts: list[str]) -> None:
    log = await office.log_of(conversation_id)
    assert [m["seq"] for m in log] == list(range(1, len(log) + 1))
    said = [m["text"] for m in log if m["text"] in texts]
    assert said == texts


async def test_customer_and_agents_at_different_processes_see_everything_at_once(
    pair: Pair, office: BackOffice
) -> None:
    wang, li = Agent(pair.second, "xiaowang"), Agent(pair.first, "xiaoli")
    for agent in (wang, li):
        await agent.begin_work()
    line, conversation = await _at(pair.first, office, "赵桂兰")
    await line.say("转人工")
    await wang.claim(conversation)
    await line.hear(lambda: "小王" in line.state["label"])
    await li.sees(lambda: conversation not in li.waiting())
    await wang.say(conversation, "您好，我是小王")
    await line.hear(lambda: "您好，我是小王" in line.said_after(0))
    await line.send("我想问一下存款")
    await wang.sees(lambda: "我想问一下存款" in wang.heard(conversation))

    passing = {"agent": "xiaoli", "note": "问存款，请接手"}
    assert await wang.post(f"conversations/{conversation}/transfer", **passing) == (200, "")
    await li.sees(lambda: conversation in li.holds())
    await wang.sees(lambda: conversation not in wang.holds())
    await line.hear(lambda: "小李" in line.state["label"])
    status, _ = await wang.post(f"conversations/{conversation}/say", text="还在吗", client_id="late-0001")
    assert status in (403, 409)
    assert await li.post(f"conversations/{conversation}/close", wrap_up="answered") == (200, "")
    await line.hear(lambda: line.state["can_rate"])
    await li.sees(lambda: conversation not in li.holds())
    await line.close()

    assert (await li.post("presence", state="off"))[0] == 200
    await wang.sees(lambda: wang.on_duty == 1)
    elsewhere = Agent(pair.first, "xiaowang")
    await elsewhere.sit_down()
    await wang.sees(lambda: wang.unseated)
    for agent in (wang, li, elsewhere):
        await agent.leave()


async def test_the_customers_process_is_killed_and_they_go_on_at_the_other_one(
    pair: Pair, office: BackOffice
) -> None:
    before, delivered = await office.balances_fen(), await office.delivered()
    wang = Agent(pair.second, "xiaowang")
    await wang.begin_work()
    payers = [
        await up_to_the_last_word(pair.first, office, name, payee, (at + 11) * 100, with_code)
        for at, (name, (payee, with_code)) in enumerate(PAYEES.items())
    ]
    served, served_id = await _at(pair.first, office, "赵桂兰")
    await served.say("转人工")
    await wang.claim(served_id)
    queued, queued_id = await _at(pair.first, office, "苏晓雯")
    await queued.say("转人工")
    due = await _first_reply_due(office, queued_id)

    words = [f"第{number}句" for number in range(1, 7)]
    ids = {text: uuid.uuid4().hex for text in words}
    for payer in payers:
        await payer.line.send(payer.words, payer.client_id, secret=payer.secret)
    for text in words:
        await served.send(text, ids[text])
    await asyncio.sleep(random.Random(7).uniform(0.02, 0.2))
    pair.first.kill()
    for payer in payers:
        await assert_whole(office, payer)

    for line in (served, queued, *(payer.line for payer in payers)):
        await _move(line, pair.second)
    for text in words:  # the page sends again what it had no answer for, under the same ids
        await served.say(text, ids[text])
    await asyncio.gather(*(go_on(office, payer) for payer in payers))
    await _assert_paid(office, payers, before)
    assert await office.delivered() - delivered == TO_OTHER_BANKS
    assert await office.book_problems() == []
    await _assert_said_once(office, served_id, words)
    await wang.sees(lambda: set(words) <= set(wang.heard(served_id)))
    assert "小王" in served.state["label"] and "排队中" in queued.state["label"]
    assert await _first_reply_due(office, queued_id) == due
    await wang.claim(queued_id)
    await wang.say(served_id, "都收到了")
    await served.hear(lambda: "都收到了" in served.said_after(0))
    for conversation_id in (served_id, queued_id):
        await wang.post(f"conversations/{conversation_id}/close", wrap_up="done")
    await wang.leave()
    for line in (served, queued, *(payer.line for payer in payers)):
        await line.close()


async def _assert_paid(office: BackOffice, payers: list[Payer], before: dict[str, int]) -> None:
    """Once each, and nobody else's money has moved."""
    owed = {payer.name: await assert_paid_once(office, payer) for payer in payers}
    after = await office.balances_fen()
    assert {name: before[name] - after[name] for name in owed} == owed


async def _first_reply_due(office: BackOffice, conversation_id: str) -> datetime:
    async with office.product.database.snapshot() as session:
        due = await session.scalar(
            select(Case.first_reply_due_at).where(Case.conversation_id == conversation_id)
        )
    assert due is not None
    return due


async def test_the_agents_process_is_killed_and_they_keep_their_customers(
    pair: Pair, office: BackOffice
) -> None:
    wang = Agent(pair.second, "xiaowang")
    await wang.begin_work()
    line, conversation = await _at(pair.first, office, "赵桂兰")
    await line.say("转人工")
    await wang.claim(conversation)
    words = [f"小王说的第{number}句" for number in range(1, 5)]
    ids = {text: uuid.uuid4().hex for text in words}
    saying = [asyncio.create_task(wang.say(conversation, text, ids[text])) for text in words[:3]]
    await asyncio.wait(saying, return_when=asyncio.FIRST_COMPLETED)
    pair.second.kill()
    await asyncio.gather(*saying, return_exceptions=True)

    await line.say("还在吗")  # the customer's own process has noticed nothing
    await wang.move_to(pair.first)
    await wang.sees(lambda: conversation in wang.holds())
    for text in words:
        await wang.say(conversation, text, ids[text])
    await line.hear(lambda: words[-1] in line.said_after(0))
    said = [m["text"] for m in await office.log_of(conversation) if m["sender"] == "agent"]
    assert sorted(said) == words
    heard = [m["text"] for _seq, m in sorted(line.messages.items()) if m["sender"] == "agent"]
    assert heard == said
    assert (await wang.post(f"conversations/{conversation}/close", wrap_up="done")) == (200, "")
    await line.close()
    await wang.leave()


async def test_what_a_killed_process_had_in_hand_is_done_once_by_the_other(
    pair: Pair, office: BackOffice
) -> None:
    """A text message is sent and not yet written down when its process dies, with an agent's page and a day's work."""
    product = office.product
    mandate_id = await _standing_order(office)
    customer = await office.customer("李静")
    async with product.database.transaction() as session:
        notice = await product.bank.notices.tell(
            session,
            key="two-processes",
            customer_id=customer.id,
            kind="test",
            text="只发一次的提醒",
            urgent=True,
        )
    async with product.database.transaction() as holding:
        await holding.get_one(Notice, notice.id, with_for_update=True)
        victim, survivor = pair.by_pid(await _pid_at_work(office, "notices"))
        assert len(await _sent(office, "只发一次的提醒")) == 1
        wang = Agent(victim, "xiaowang")
        await wang.begin_work()
        line, conversation = await _at(survivor, office, "赵桂兰")
        await line.say("转人工")
        await wang.claim(conversation)
        victim.kill()
    await wang.leave()
    async with product.database.transaction() as session:
        await session.execute(update(Mandate).values(next_run_at=datetime.now(UTC)))
        vanished = datetime.now(UTC) - timedelta(minutes=4)
        wang_id = select(DeskAgent.id).where(DeskAgent.username == "xiaowang").scalar_subquery()
        statement = update(Presence).where(Presence.agent_id == wang_id).values(last_seen_at=vanished)
        await session.execute(statement)

    li = Agent(survivor, "xiaoli")
    await li.begin_work()
    await li.sees(lambda: conversation in li.waiting(), within_s=TAKEN_OVER_WITHIN_S)
    await li.claim(conversation)
    await _until_done(office, notice.id, mandate_id)
    assert len(await _sent(office, "只发一次的提醒")) == 1
    assert await _runs(office, mandate_id) == ["executed"]
    assert await office.book_problems() == []
    assert (await li.post(f"conversations/{conversation}/close", wrap_up="done")) == (200, "")
    await line.close()
    await li.leave()


async def _standing_order(office: BackOffice) -> str:
    """100 yuan a month from 林小满 to her mother, agreed to already; returns the mandate's id."""
    bank, customer = office.product.bank, await office.customer("林小满")
    async with office.product.database.transaction() as session:
        [payer, *_] = await bank.accounts.list_for(session, customer.id)
        payees = await bank.payees.list(session, customer.id)
        mother = next(payee for payee in payees if "妈妈" in (payee.nickname, payee.name))
        order = {
            "from_account_id": payer.id,
            "payee_name": mother.name,
            "payee_account_number": mother.account_number,
            "payee_bank_code": mother.bank_code,
            "amount_fen": 100_00,
            "purpose": "",
        }
        wish = {"kind": "transfer", "order": order, "title": "给妈妈", "frequency": "monthly", "day": 5}
        drafted = await bank.orders.draft(
            session,
            customer_id=customer.id,
            kind="mandate_create",
            body=wish,
            idempotency_key="two-processes",
            channel="web",
        )
        await bank.orders.read_back(session, drafted.id, customer.id)
        await bank.orders.confirm(session, drafted.id, customer.id)
        await bank.orders.execute(session, drafted.id, customer.id, otp_verified=True)
        found = await session.scalar(select(Mandate.id).where(Mandate.order_id == drafted.id))
    assert found is not None
    return found


async def _runs(office: BackOffice, mandate_id: str) -> list[str]:
    async with office.product.database.snapshot() as session:
        outcomes = await session.scalars(
            select(MandateRun.outcome).where(MandateRun.mandate_id == mandate_id)
        )
        return list(outcomes)


async def _until_done(office: BackOffice, notice_id: str, mandate_id: str) -> None:
    for _ in range(TAKEN_OVER_WITHIN_S * 2):
        async with office.product.database.snapshot() as session:
            sent_at = (await session.get_one(Notice, notice_id)).sent_at
        if sent_at is not None and await _runs(office, mandate_id):
            return
        await asyncio.sleep(0.5)
    raise AssertionError("nobody took over")


async def _pid_at_work(office: BackOffice, job: str) -> int:
    """The process that works on a job now; waits until one does so for longer than a moment."""
    seen: JobRun | None = None
    async with asyncio.timeout(TAKEN_OVER_WITHIN_S):
        while True:
            async with office.product.database.snapshot() as session:
                run = await session.scalar(
                    select(JobRun).where(JobRun.job == job, JobRun.finished_at.is_(None))
                )
            if run is not None and seen is not None and run.claim == seen.claim:
                return int(run.claimed_by.split(":")[1])
            seen = run
            await asyncio.sleep(1)


async def _sent(office: BackOffice, text: str) -> list[str]:
    sandbox = office.product.bank.providers.sandbox_sms
    assert sandbox is not None
    return [message.text for message in await sandbox.recent(200) if text in message.text]
