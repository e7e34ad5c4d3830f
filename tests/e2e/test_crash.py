"""The power goes in the middle of a turn: the app is killed with -9, started again, and the customer goes on.

Whatever the instant: no payment or one, never half of one and never two; the log and the orders tell the same story.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from banking_core.clock import ManualClock
from bot.assembly import build_product
from bot.evaluation.demo_bank import copy_template, fill, settings_for
from bot.understanding.client import NluClient
from migrations.runner import upgrade
from tests.e2e.counter import CODES_AT_ONCE, PHONES, BackOffice, Counter, Line
from tests.e2e.pages import Chat, seated
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]
pytestmark = [pytest.mark.process, pytest.mark.nlu, pytest.mark.asyncio(loop_scope="session")]

# Within the bank, and (房东, 王小明) to other banks, where an outside party has to carry the payment out.
PAYEES = {
    "林小满": "妈妈",
    "赵桂兰": "儿子",
    "陈国强": "老婆",
    "张伟": "王小明",
    "苏晓雯": "房东",
    "李静": "妈妈",
}
TO_OTHER_BANKS = 2
PAID = ("executed", "submitted")
SETTLE_TRIES_MAX = 150
CODE_TRIES_MAX = 60


@dataclass
class Payer:
    """One customer in the middle of a transfer; `words` is what they were saying when the power went."""

    name: str
    line: Line
    conversation_id: str
    amount_fen: int
    client_id: str
    words: str
    secret: bool
    codes_before: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(loop_scope="session")
async def fragile(nlu: NluClient, template: Path, tmp_path: Path) -> AsyncIterator[Counter]:
    """A running product on SQLite that may be killed."""
    copy_template(template, tmp_path)
    counter = Counter(tmp_path, nlu.url, terms=CODES_AT_ONCE)
    await counter.start()
    yield counter
    counter.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def fragile_on_postgres(nlu: NluClient, postgres_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """The same on PostgreSQL."""
    settings = settings_for(tmp_path, database_url=postgres_url)
    await upgrade(postgres_url)
    product = build_product(settings, clock=ManualClock(datetime.now(UTC)))
    await fill(product)
    await product.close()
    counter = Counter(tmp_path, nlu.url, database_url=postgres_url, terms=CODES_AT_ONCE)
    await counter.start()
    yield counter
    counter.stop()


async def test_killed_at_any_instant_every_transfer_is_paid_exactly_once(fragile: Counter) -> None:
    await _rounds(fragile, 5)


async def test_killed_at_any_instant_every_transfer_is_paid_exactly_once_on_postgresql(
    fragile_on_postgres: Counter,
) -> None:
    await _rounds(fragile_on_postgres, 2)


async def _rounds(counter: Counter, count: int) -> None:
    office = counter.office()
    chance = random.Random(20261120)
    before, owed_fen = await office.balances_fen(), dict.fromkeys(PAYEES, 0)
    delivered = await office.delivered()
    for number in range(count):
        payers = [
            await _up_to_the_last_word(
                counter, office, name, payee, (number * 10 + at + 11) * 100, at % 3 > 0
            )
            for at, (name, payee) in enumerate(PAYEES.items())
        ]
        await _speak_until_the_power_goes(counter, payers, chance)
        for payer in payers:
            await _assert_whole(office, payer)
        assert await office.book_problems() == []
        await counter.start()
        await asyncio.gather(*(_go_on(office, payer) for payer in payers))
        for payer in payers:
            owed_fen[payer.name] += await _assert_paid_once(office, payer)
            await payer.line.close()
    after = await office.balances_fen()
    assert {name: before[name] - after[name] for name in PAYEES} == owed_fen
    assert await office.delivered() - delivered == count * TO_OTHER_BANKS
    assert await office.book_problems() == []
    await office.close()


async def _up_to_the_last_word(
    counter: Counter, office: BackOffice, name: str, payee: str, amount_fen: int, with_code: bool
) -> Payer:
    """A transfer read back; with `with_code` confirmed too, and the code at hand."""
    token, conversation_id = await office.seat(name)
    line = Line(counter, token)
    await line.open()
    said = await line.say(f"给{payee}转{amount_fen // 100}块")
    assert f"¥{amount_fen // 100}.00" in said, said
    payer = Payer(name, line, conversation_id, amount_fen, uuid.uuid4().hex, "确认", False)
    if with_code:
        said = await line.say("确认")
        assert line.state["expects"] == "otp", (said, counter.log())
        payer.words, payer.secret = (await office.codes(PHONES[name]))[0], True
    payer.codes_before = await office.codes(PHONES[name])
    return payer


async def _speak_until_the_power_goes(counter: Counter, payers: list[Payer], chance: random.Random) -> None:
    """Everybody speaks within some hundredths of a second, and somewhere in there the app is killed."""

    async def speak(payer: Payer, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await payer.line.send(payer.words, payer.client_id, secret=payer.secret)

    speaking = [asyncio.create_task(speak(payer, chance.uniform(0, 0.1))) for payer in payers]
    await asyncio.sleep(chance.uniform(0.02, 0.25))
    counter.kill()
    await asyncio.gather(*speaking, return_exceptions=True)  # whoever spoke too late found the line dead


async def _assert_whole(office: BackOffice, payer: Payer) -> None:
    """Straight after the crash: the last message is there with its answer and its effect, or nothing of it is."""
    log = await office.log_of(payer.conversation_id)
    heard = any(message["client_id"] == payer.client_id for message in log)
    [order] = await office.orders(payer.conversation_id)
    assert log[-1]["sender"] == "bot", "an answer is written with its question"
    if payer.secret:
        assert (order.status in PAID) == heard, (payer, order.status)
    else:
        assert (order.status == "confirmed") == heard, (payer, order.status)
    assert (order.status in PAID) == (order.ledger_transaction_id is not None)


async def _go_on(office: BackOffice, payer: Payer) -> None:
    """The page comes back and sends the very same message; what is still missing is asked for and given."""
    line, spent = payer.line, set(payer.codes_before)
    await line.open()
    await line.say(payer.words, payer.client_id, secret=payer.secret)
    for _ in range(CODE_TRIES_MAX):
        if line.state["expects"] != "otp":
            return
        code = next(iter(await office.codes(PHONES[payer.name])), None)
        # The crash swallowed the SMS, or the code was too old by now. A code may be had once a second.
        if code is None or code in spent:
            await line.say("重发")
            await asyncio.sleep(0.5)
        else:
            spent.add(code)
            await line.say(code, secret=True)


async def _assert_paid_once(office: BackOffice, payer: Payer) -> int:
    """One order, carried out, and the customer told so once; returns what it cost in fen."""
    receipts: list[str] = []
    for _ in range(SETTLE_TRIES_MAX):
        [order] = await office.orders(payer.conversation_id)
        log = await office.log_of(payer.conversation_id)
        receipts = [m["text"] for m in log if m["card"] and m["card"]["title"] == "转账成功"]
        if order.status == "executed" and receipts:
            break
        await asyncio.sleep(0.1)
    assert (order.status, order.amount_fen) == ("executed", payer.amount_fen), payer
    assert len(receipts) == 1, (payer, log[-3:])
    return order.amount_fen + order.fee_fen


@pytest.mark.browser
async def test_the_page_comes_back_by_itself_and_the_transfer_is_finished(
    browser: Browser, fragile: Counter
) -> None:
    office = fragile.office()
    context, conversation_id = await seated(browser, fragile, office, "张伟")
    chat = await Chat.visit(context, fragile)
    await chat.say("给李四转一百")
    await expect(chat.card("readback")).to_contain_text("¥100.00")
    fragile.kill()
    await expect(chat.page.get_by_test_id("offline-banner")).to_be_visible()
    await chat.say("确认")
    await fragile.start()
    await chat.give_code(office, "张伟")
    await expect(chat.card("receipt")).to_contain_text("转账成功")
    await expect(chat.page.get_by_test_id("offline-banner")).to_be_hidden()
    await expect(chat.bubbles("customer")).to_have_count(3)
    assert await office.paid_fen(conversation_id) == [100_00]
    await context.close()
    await office.close()
