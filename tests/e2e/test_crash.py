"""The power goes in the middle of a turn: the app is killed with -9, started again, and the customer goes on.

Whatever the instant: no payment or one, never half of one and never two; the log and the orders tell the same story.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
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
from tests.e2e.counter import CODES_AT_ONCE, Counter
from tests.e2e.pages import Chat, seated
from tests.e2e.payers import Payer, assert_paid_once, assert_whole, go_on, up_to_the_last_word
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
            await up_to_the_last_word(counter, office, name, payee, (number * 10 + at + 11) * 100, at % 3 > 0)
            for at, (name, payee) in enumerate(PAYEES.items())
        ]
        await _speak_until_the_power_goes(counter, payers, chance)
        for payer in payers:
            await assert_whole(office, payer)
        assert await office.book_problems() == []
        await counter.start()
        await asyncio.gather(*(go_on(office, payer) for payer in payers))
        for payer in payers:
            owed_fen[payer.name] += await assert_paid_once(office, payer)
            await payer.line.close()
    after = await office.balances_fen()
    assert {name: before[name] - after[name] for name in PAYEES} == owed_fen
    assert await office.delivered() - delivered == count * TO_OTHER_BANKS
    assert await office.book_problems() == []
    await office.close()


async def _speak_until_the_power_goes(counter: Counter, payers: list[Payer], chance: random.Random) -> None:
    """Everybody speaks within some hundredths of a second, and somewhere in there the app is killed."""

    async def speak(payer: Payer, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await payer.line.send(payer.words, payer.client_id, secret=payer.secret)

    speaking = [asyncio.create_task(speak(payer, chance.uniform(0, 0.1))) for payer in payers]
    await asyncio.sleep(chance.uniform(0.02, 0.25))
    counter.kill()
    await asyncio.gather(*speaking, return_exceptions=True)  # whoever spoke too late found the line dead


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
