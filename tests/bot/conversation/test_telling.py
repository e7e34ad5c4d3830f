"""How an order ended is told once, whatever crashes between its end and the telling."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from banking_core.orders.models import Order
from banking_core.telling import AGAIN_S_FIRST
from bot.assembly import Product
from bot.conversation.errors import ConversationNotFound
from bot.dialogue.reply import Reply
from tests.bot.conversation.talking import TOPUP, Talk, product

__all__ = ["product"]


@pytest.fixture
async def talk(product: Product, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """A top-up submitted, carried out and booked by a process that was killed before it could say so."""
    talk = await Talk(product).begin()
    monkeypatch.setattr(product.settlement, "later", lambda *_: None)
    await talk.say(TOPUP)
    await talk.say("确认")
    (order,) = await talk.orders()
    settled = await product.bank.orders.settle(product.database, order.id)
    assert settled.status == "executed" and await receipts(talk) == 0
    return talk


async def _copy(product: Product, order_id: str, ids: list[str]) -> None:
    """The same order again and again, as far as the database lets it be the same."""
    table = Order.__table__
    async with product.database.transaction() as session:
        row = (await session.execute(select(table).where(table.c.id == order_id))).one()._asdict()
        own = [{"id": id_, "number": id_, "receipt_number": None, "idempotency_key": id_} for id_ in ids]
        await session.execute(insert(table), [row | each for each in own])


async def receipts(talk: Talk) -> int:
    log = await talk.product.hub.history(talk.conversation, 0, 50)
    return sum("话费充值成功" in message["text"] for message in log)


async def test_an_end_booked_just_before_a_crash_is_told_once_after_it(talk: Talk) -> None:
    product = talk.product
    for _ in range(2):
        await product.settlement.sweep(product.hub.announce)
    assert await receipts(talk) == 1


async def test_a_crash_after_the_telling_does_not_tell_twice(talk: Talk) -> None:
    product = talk.product

    async def killed_just_after(conversation_id: str, reply: Reply, once_key: str) -> None:
        await product.hub.announce(conversation_id, reply, once_key)
        raise ConnectionError

    assert await product.settlement.sweep(killed_just_after) == 1
    (order,) = await talk.orders()
    assert order.untold
    assert await product.settlement.sweep(product.hub.announce) == 0, "the next try is due later"
    product.clock.advance(seconds=AGAIN_S_FIRST)  # type: ignore[attr-defined]
    assert await product.settlement.sweep(product.hub.announce) == 1
    (order,) = await talk.orders()
    assert await receipts(talk) == 1 and not order.untold


async def test_a_conversation_that_is_gone_is_not_told_for_ever(talk: Talk) -> None:
    async def gone(conversation_id: str, _reply: Reply, _once_key: str) -> None:
        raise ConversationNotFound(conversation_id)

    product = talk.product
    assert await product.settlement.sweep(gone) == 1
    assert await product.settlement.sweep(gone) == 0


async def test_what_the_customer_ends_in_their_own_turn_is_not_told_again(product: Product) -> None:
    talk = await Talk(product).begin()
    await talk.say(TOPUP)
    await talk.say("取消")
    (order,) = await talk.orders()
    assert order.status == "cancelled" and not order.untold


async def test_a_hundred_ends_that_cannot_be_told_keep_nobody_waiting(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = talk.product
    (order,) = await talk.orders()
    poor = [f"poor-{number:03}" for number in range(100)]

    await _copy(product, order.id, [f"0{name}" for name in poor])  # before the one that can be told, by id

    async def announce(conversation_id: str, reply: Reply, once_key: str) -> None:
        if "poor" in once_key:
            raise ConnectionError
        await product.hub.announce(conversation_id, reply, once_key)

    told = [await product.settlement.sweep(announce) for _ in range(3)]
    assert await receipts(talk) == 1 and told == [100, 1, 0]


async def test_the_next_telling_is_due_later_each_time_but_within_the_hour(talk: Talk) -> None:
    product, waits_s = talk.product, []
    (order,) = await talk.orders()
    async with product.database.transaction() as session:
        for _ in range(20):
            await product.bank.orders.telling_failed(session, order.id)
            next_at = (await session.get_one(Order, order.id)).next_tell_at
            assert next_at is not None
            waits_s.append((next_at - product.clock.now()).total_seconds())
    assert waits_s[:4] == [10, 20, 40, 80] and waits_s[-1] == 3600
    assert await product.settlement.sweep(product.hub.announce) == 0
    product.clock.advance(seconds=3600)  # type: ignore[attr-defined]
    assert await product.settlement.sweep(product.hub.announce) == 1 and await receipts(talk) == 1


async def test_one_end_that_cannot_be_put_in_words_does_not_hold_up_the_others(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, settlement = talk.product, talk.product.settlement
    describe = settlement._describe

    def broken(order: Order) -> Reply:
        if order.id.startswith("0"):
            raise KeyError(order.kind)
        return describe(order)

    monkeypatch.setattr(settlement, "_describe", broken)
    (order,) = await talk.orders()
    await _copy(product, order.id, ["0"])
    await settlement.sweep(product.hub.announce)
    assert await receipts(talk) == 1
