"""A call whose process was killed is hung up by another one, once; a call that goes on is left alone."""

from __future__ import annotations

import pytest

from banking_core.clock import ManualClock
from bot.assembly import Product, build_product
from bot.conversation.live_calls import LOST_AFTER_S, RENEW_S
from bot.conversation.views import Inbound
from tests.bot.conversation.talking import Hears, product

__all__ = ["product"]


@pytest.fixture
def survivor(product: Product) -> Product:
    """Another process on the same bank."""
    return build_product(product.settings, clock=product.clock, understander=Hears())


async def hung_up(product: Product, conversation_id: str) -> int:
    log = await product.hub.history(conversation_id, 0, 50)
    return sum("挂断" in message["text"] for message in log)


def pass_s(product: Product, seconds: float) -> None:
    clock = product.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds=seconds)


async def test_the_call_of_a_dead_process_is_hung_up_once_and_leaves_the_queue(
    product: Product, survivor: Product
) -> None:
    async with product.database.transaction() as session:
        agent = await product.desk.add_agent(session, "wang", "小王", "")
        await product.desk.set_presence(session, agent, "on_duty")
    conversation = await product.hub.open("phone", on_call=True)
    await product.hub.receive(Inbound(conversation, "m1", "转人工"))
    assert (await survivor.hub.status(conversation)).owner == "queue"
    pass_s(product, LOST_AFTER_S + 1)
    assert [await survivor.hub.hang_up_lost(), await product.hub.hang_up_lost()] == [1, 0]
    assert (await survivor.hub.status(conversation)).owner == "closed"
    assert await hung_up(survivor, conversation) == 1 and await survivor.handoff.queue() == []
    await product.hub.hung_up(conversation)  # the process was only asleep
    assert await hung_up(survivor, conversation) == 1
    await survivor.close()


async def test_a_call_that_goes_on_is_left_alone_and_one_that_has_ended_is_forgotten(
    product: Product, survivor: Product
) -> None:
    going_on, ended = [await product.hub.open("phone", on_call=True) for _ in range(2)]
    page = await product.hub.open("web")
    await product.hub.hung_up(ended)
    for _ in range(LOST_AFTER_S // RENEW_S + 2):
        pass_s(product, RENEW_S)
        await product.hub.live_calls.renew()
        assert await survivor.hub.hang_up_lost() == 0
    assert [await hung_up(product, each) for each in (going_on, ended, page)] == [0, 1, 0]
    await survivor.close()


async def test_an_agent_who_has_the_caller_is_told(product: Product, survivor: Product) -> None:
    async with product.database.transaction() as session:
        agent = await product.desk.add_agent(session, "li", "小李", "")
        await product.desk.set_presence(session, agent, "on_duty")
    conversation = await product.hub.open("phone", on_call=True)
    await product.hub.receive(Inbound(conversation, "m1", "转人工"))
    await product.handoff.claim(conversation, agent, "小李")
    pass_s(product, LOST_AFTER_S + 1)
    assert await survivor.hub.hang_up_lost() == 1
    assert await hung_up(survivor, conversation) == 1
    assert (await survivor.hub.status(conversation)).owner == "agent", "they close it with a code"
    await survivor.close()
