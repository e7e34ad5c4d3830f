"""A logged-in customer who tops up phones and pays people, on a small demo bank of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from banking_core.customers.models import Customer
from banking_core.identity import Origin
from banking_core.orders.models import Order
from bot.assembly import Product
from bot.conversation.views import Inbound
from bot.dialogue.understanding import Understanding
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import open_copy
from tests.demo import DemoTemplate

PAYER = "张伟"
TOPUP = "给自己充50话费"


class Hears:
    """充 starts a top-up, 转 a transfer, 转人工 asks for a human, anything else is not understood."""

    async def understand(self, text: str) -> Understanding:
        intent = "topup" if "充" in text else "transfer_make" if "转" in text else "nlu_fallback"
        if text == "转人工":
            intent = "service_human"
        return Understanding(text, intent, 0.95, ranking=((intent, 0.95),))


@pytest.fixture
async def product(demo_template: DemoTemplate, tmp_path: Path) -> AsyncIterator[Product]:
    product = open_copy(await demo_template(), tmp_path, MOMENT, Hears())
    await product.start()
    yield product
    await product.close()


class Talk:
    """A logged-in customer."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.sent = 0
        self.conversation = ""

    async def begin(self) -> Talk:
        async with self.product.database.snapshot() as session:
            everybody = list(await session.scalars(select(Customer)))
        (customer,) = (each for each in everybody if each.name == PAYER)
        self.conversation = await self.product.hub.open("web")
        await self.product.hub.attach_customer(self.conversation, customer.id, "密码+短信验证码")
        return self

    async def say(self, text: str) -> str:
        self.sent += 1
        inbound = Inbound(
            self.conversation, f"m{self.sent}", text, origin=Origin(channel="web", address="198.51.100.7")
        )
        received = await self.product.hub.receive(inbound)
        return "\n".join(reply.text for reply in received.replies)

    async def orders(self) -> list[Order]:
        async with self.product.database.snapshot() as session:
            return list(await session.scalars(select(Order).order_by(Order.created_at)))


async def wait_and_hear(talk: Talk, seconds: float) -> str:
    talk.product.clock.advance(seconds=seconds)  # type: ignore[attr-defined]
    await talk.product.settlement.sweep(talk.product.hub.announce)
    await talk.product.hub.settled()
    newest = await talk.product.hub.history(talk.conversation, 0, 3)
    return "\n".join(message["text"] for message in newest)
