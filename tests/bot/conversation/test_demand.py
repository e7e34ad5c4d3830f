"""What is asked and not answered reaches the operator; what is asked often reaches the help list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from banking_core.clock import ManualClock
from bot.assembly import Product, build_product
from bot.conversation import demand
from bot.conversation.errors import UnknownQuestion
from bot.conversation.views import Inbound
from bot.dialogue.understanding import Understanding
from bot.evaluation.demo_bank import settings_for
from migrations.runner import upgrade

NOW = datetime(2026, 11, 4, 4, 0, tzinfo=UTC)
MONTH_AGO = NOW - timedelta(days=30)


class Hears:
    """Everything is a question, except 帮助."""

    async def understand(self, text: str) -> Understanding:
        intent = "service_help" if text == "帮助" else "faq"
        return Understanding(text, intent, 0.9, ranking=((intent, 0.9),))


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    settings = settings_for(tmp_path)
    await upgrade(settings.database_url, vault=settings.open_vault())
    product = build_product(settings, clock=ManualClock(NOW), understander=Hears())
    await product.start()
    yield product
    await product.close()


async def ask(product: Product, *texts: str) -> list[str]:
    conversation = await product.hub.open("web")
    said = []
    for number, text in enumerate(texts):
        received = await product.hub.receive(Inbound(conversation, f"m{number}", text))
        said.append("\n".join(reply.text for reply in received.replies))
    return said


async def open_questions(product: Product) -> list[demand.OpenQuestion]:
    async with product.database.snapshot() as session:
        return await demand.open_questions(session, MONTH_AGO, 10)


async def test_a_question_without_an_answer_is_counted_however_it_is_punctuated(product: Product) -> None:
    await ask(product, "火星探测器的轨道半径是几公里")
    await ask(product, "火星探测器的轨道半径，是几公里？？", "转账要手续费吗")
    (found,) = await open_questions(product)
    assert found.times == 2 and "火星" in found.text and found.action in demand.UNANSWERED


async def test_what_the_operator_sees_holds_no_number_of_a_person(product: Product) -> None:
    await ask(product, "火星分行能给13800000001打电话吗")
    (found,) = await open_questions(product)
    assert "13800000001" not in found.text and "****0001" in found.text


async def test_a_settled_question_comes_back_when_it_is_asked_again(product: Product) -> None:
    await ask(product, "火星探测器的轨道半径是几公里")
    (found,) = await open_questions(product)
    async with product.database.transaction() as session:
        await demand.settle(session, found.fingerprint, NOW, "补了 branches.mars")
    assert await open_questions(product) == []
    product.clock.advance(seconds=60)  # type: ignore[attr-defined]
    await ask(product, "火星探测器的轨道半径是几公里")
    assert len(await open_questions(product)) == 1


async def test_only_an_open_question_can_be_settled(product: Product) -> None:
    with pytest.raises(UnknownQuestion):
        async with product.database.transaction() as session:
            await demand.settle(session, "0" * 12, NOW, "")


async def test_what_is_asked_often_rises_in_the_help_list(product: Product) -> None:
    (before,) = await ask(product, "帮助")
    assert "最近大家常问" not in before
    once, twice = "定期存款利率是多少", "挂失要收费吗"
    for question in (once, twice, twice):
        await ask(product, question)
    await product.learn_often_asked()
    (after,) = await ask(product, "帮助")
    asked = after[after.index("最近大家常问") :]
    assert asked.index(twice) < asked.index(once)
