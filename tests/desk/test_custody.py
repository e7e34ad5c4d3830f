"""Who may see a customer, and who may take one, is decided in the transaction that reads or takes: whatever else
happens in that moment, nobody reads a word that was said while somebody else had the customer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select

from banking_core.audit import AuditRecord
from banking_core.clock import ManualClock
from bot.assembly import Product, build_product
from bot.conversation.errors import ConversationError
from bot.conversation.handoff import Handoff
from bot.conversation.views import Inbound
from bot.evaluation.converse import MOMENT
from bot.settings import Settings
from desk import DeskDependencies, build_desk_app
from desk.custody import Custody
from desk.errors import DeskError, ForTeam
from desk.roster import Changes, Roster
from tests.bot.conversation.banks import filled, postgres_cluster, settings
from tests.bot.conversation.talking import Hears
from tests.desk.conftest import Page

__all__ = ["filled", "postgres_cluster", "settings"]

SERVES = "为您服务"
WANG, LI = "xiaowang", "xiaoli"
ROUNDS = 12


class Bank:
    """Two processes on one bank, each with a desk of its own before it."""

    def __init__(self, products: list[Product], servers: list[TestServer], clock: ManualClock) -> None:
        self.products, self.servers, self.clock = products, servers, clock
        self.product = products[0]

    async def agent(self, username: str) -> tuple[str, str]:
        """Id and name."""
        async with self.product.database.snapshot() as session:
            agent = await self.product.desk.agent_named(session, username)
            assert agent is not None
            return agent.id, agent.display_name

    async def change(self, username: str, team: str) -> None:
        """What `zhanggui agents set` does."""
        roster = Roster(self.product.desk, self.clock)
        async with self.products[1].database.transaction() as session:
            await roster.change(session, username, Changes(team=team))

    async def waiting(self) -> str:
        """A customer who waits."""
        conversation = await self.product.hub.open("web")
        await self.product.hub.receive(Inbound(conversation, "ask", "转人工"))
        return conversation


@pytest.fixture
async def bank(settings: Settings) -> AsyncIterator[Bank]:
    """Both demo agents are on duty."""
    clock = ManualClock(MOMENT)
    async with AsyncExitStack() as stack:
        products = [build_product(settings, clock=clock, understander=Hears()) for _ in range(2)]
        servers = []
        for product in products:
            await product.start()
            stack.push_async_callback(product.close)
            deps = DeskDependencies(
                desk=product.desk, hub=product.handoff, db=product.database, clock=clock, beat_s=3600
            )
            app = web.Application()
            app.add_subapp("/desk", build_desk_app(deps))
            servers.append(TestServer(app))
            await servers[-1].start_server()
            stack.push_async_callback(servers[-1].close)
        bank = Bank(products, servers, clock)
        for username in (WANG, LI):
            async with bank.product.database.transaction() as session:
                await bank.product.desk.set_presence(session, (await bank.agent(username))[0], "on_duty")
        yield bank


@asynccontextmanager
async def seated(bank: Bank, username: str) -> AsyncIterator[list[Page]]:
    """A browser of the agent's with a tab at each process."""
    pages = [Page(server) for server in bank.servers]
    status, _ = await pages[0].login(username)
    assert status == 200
    token = pages[0].token()
    assert token is not None
    pages[1].client.session.cookie_jar.update_cookies({"zg_desk": token}, bank.servers[1].make_url("/desk/"))
    yield pages
    for page in pages:
        await page.close()


async def _reads(pages: list[Page], conversation: str, over: asyncio.Event) -> list[int]:
    """Reads all the time; the last message of everything that was shown."""
    shown: list[int] = []
    number = 0
    while not over.is_set():
        number += 1
        page = pages[number % len(pages)]
        status, case = await page.get(f"/conversations/{conversation}")
        if status == 200:
            shown.append(case["messages"][-1]["seq"])
        else:
            assert (status, case["error"]["code"]) == (403, "not_yours")
        _, mine = await page.get("/mine")
        shown += [item["last_seq"] for item in mine["items"]]
    return shown


async def _of(bank: Bank, conversation: str) -> dict[int, str]:
    """Who had the customer when a message was written, by its number."""
    holder, of = "", {}
    for message in await bank.product.hub.history(conversation):
        if SERVES in message["text"]:
            holder = message["text"].partition(SERVES)[0]
        of[message["seq"]] = holder
    return of


async def test_whoever_reads_while_a_customer_is_passed_to_and_fro_reads_nothing_said_to_another(
    bank: Bank,
) -> None:
    wang, li = await bank.agent(WANG), await bank.agent(LI)
    conversation = await bank.waiting()
    async with seated(bank, WANG) as wangs, seated(bank, LI) as lis:
        await bank.product.handoff.claim(conversation, *wang)
        await bank.product.hub.receive(Inbound(conversation, "for-0", f"只说给{wang[1]}"))
        over = asyncio.Event()
        readers = [
            asyncio.create_task(_reads(pages, conversation, over))
            for pages in (wangs, wangs[::-1], lis, lis[::-1])
        ]
        holder, heir = wang, li
        for number in range(1, ROUNDS):
            handoff: Handoff = bank.products[number % 2].handoff
            await handoff.pass_on(conversation, holder[0], heir, "说明")
            holder, heir = heir, holder
            said = f"只说给{holder[1]}"
            await bank.product.hub.receive(Inbound(conversation, f"for-{number}", said))
            bank.clock.advance(seconds=1)
            await asyncio.sleep(0.05)
        over.set()
        shown = await asyncio.gather(*readers)
    of = await _of(bank, conversation)
    for name, numbers in zip((wang[1], wang[1], li[1], li[1]), shown, strict=True):
        assert {of[number] for number in numbers} == {name}


async def test_a_customer_cannot_change_hands_while_a_look_is_being_taken(bank: Bank) -> None:
    wang, li = await bank.agent(WANG), await bank.agent(LI)
    conversation = await bank.waiting()
    await bank.product.handoff.claim(conversation, *wang)
    async with bank.product.handoff.look(conversation) as look:
        assert look.agent_id == wang[0]
        passing = asyncio.create_task(bank.products[1].handoff.pass_on(conversation, wang[0], li, "说明"))
        done, _ = await asyncio.wait([passing], timeout=0.3)
        assert not done, "it waits until everything was read"
        assert not any(li[1] in m["text"] for m in await look.history())
    await passing
    assert await bank.product.handoff.mine(li[0]) == [conversation]


async def _claims(work: Awaitable[Any]) -> str:
    try:
        await work
    except (DeskError, ConversationError) as error:
        return error.code
    return "claimed"


async def test_who_has_left_the_team_takes_none_of_its_customers_however_soon(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang, li = await bank.agent(WANG), await bank.agent(LI)
    conversation = await bank.waiting()
    await bank.product.handoff.claim(conversation, *wang)
    await bank.product.handoff.pass_to_team(conversation, wang[0], "信贷组", "说明")
    claim = bank.product.handoff.claim
    async with seated(bank, WANG) as pages:
        await bank.change(WANG, "信贷组")

        async def claim_too_late(*args: str) -> None:
            await bank.change(WANG, "综合组")  # after everything the desk looks at beforehand
            await claim(*args)

        monkeypatch.setattr(bank.product.handoff, "claim", claim_too_late)
        status, body = await pages[0].post(f"/conversations/{conversation}/claim")
    assert (status, body["error"]["code"]) == (409, ForTeam.code)
    assert await bank.product.handoff.mine(li[0]) == await bank.product.handoff.mine(wang[0]) == []


async def _newest(bank: Bank, action: str, object_id: str) -> int:
    """Where the newest such act stands in the audit trail; 0 when there is none."""
    statement = select(func.max(AuditRecord.id)).where(
        AuditRecord.action == action, AuditRecord.object_id == object_id
    )
    async with bank.product.database.snapshot() as session:
        return await session.scalar(statement) or 0


async def test_of_claims_and_a_change_of_team_at_once_each_knows_what_was_before_it(bank: Bank) -> None:
    """Two processes claim while an operator takes the agent out of the team: a claim that succeeds came first."""
    wang, li = await bank.agent(WANG), await bank.agent(LI)
    for number in range(ROUNDS):
        await bank.change(WANG, "信贷组")
        conversation = await bank.waiting()
        await bank.product.handoff.claim(conversation, *li)
        await bank.product.handoff.pass_to_team(conversation, li[0], "信贷组", "说明")

        async def leaves(after: int) -> None:
            for _ in range(after):
                await asyncio.sleep(0.002)
            await bank.change(WANG, "综合组")

        first, second, _ = await asyncio.gather(
            *(_claims(product.handoff.claim(conversation, *wang)) for product in bank.products),
            leaves(number),
        )
        left = await _newest(bank, "desk.agent_changed", wang[0])
        claimed = await _newest(bank, "conversation.claimed", conversation)
        if conversation in await bank.product.handoff.mine(wang[0]):
            assert "claimed" in (first, second) and claimed < left
            await bank.product.handoff.close(conversation, wang[0], "done")
        else:
            assert {first, second} == {ForTeam.code}


async def test_whether_a_page_may_show_what_was_said_is_one_question_to_the_database(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang, li = await bank.agent(WANG), await bank.agent(LI)
    conversation = await bank.waiting()
    await bank.product.handoff.claim(conversation, *wang)
    database, desk = bank.product.database, bank.product.desk
    custody = Custody(DeskDependencies(desk=desk, hub=bank.product.handoff, db=database, clock=bank.clock))
    async with seated(bank, WANG) as pages:
        async with database.snapshot() as session:
            seat = await desk.seat(session, pages[0].token() or "")
        assert seat is not None
        asked = 0
        for name in ("snapshot", "transaction"):
            begin = getattr(database, name)

            def counted(*, begin: Any = begin) -> Any:
                nonlocal asked
                asked += 1
                return begin()

            monkeypatch.setattr(database, name, counted)
        assert await custody.shows(seat, conversation)
        assert asked == 1
        await pages[1].post("/lock")
        assert not await custody.shows(seat, conversation), "nothing is shown on a covered page"
        await pages[1].unlock()
        assert await custody.shows(seat, conversation)
        await bank.products[1].handoff.pass_on(conversation, wang[0], li, "说明")
        assert not await custody.shows(seat, conversation)
        assert not await custody.shows(seat, "there is none")
