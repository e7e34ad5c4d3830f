"""How an order ended is told once, whatever crashes between its end and the telling."""

from __future__ import annotations

import pytest

from bot.assembly import Product
from bot.conversation.errors import ConversationNotFound
from bot.dialogue.reply import Reply
from tests.bot.conversation.talking import TOPUP, Talk, folder, product

__all__ = ["folder", "product"]


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
    await product.settlement.sweep(product.hub.announce)
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
