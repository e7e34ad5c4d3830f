"""Customers who only call to be measured: registered in a demo bank, each with an account and a telephone."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Final

from sqlalchemy import func, select

from banking_core.clock import SystemClock
from banking_core.customers.id_numbers import complete_id_number
from bot.assembly import Product, build_product
from bot.conversation.models import Conversation
from bot.evaluation.demo_bank import settings_for

NUMBER_FIRST: Final = 13_900_000_000
WAIT_S: Final = 20.0
LOOK_S: Final = 0.1
_CODE: Final = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


class LogInFailed(Exception):
    """A caller was not let in: what follows would measure nothing."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Whoever calls: `id_tail` is what they key to prove who they are, * for X."""

    id: str
    phone: str
    id_tail: str


class Premises:
    """The bank's side, looked at from outside the app process: text messages and who has logged in."""

    def __init__(self, folder: Path) -> None:
        self._product: Product = build_product(settings_for(folder), clock=SystemClock())

    async def enrol(self, count: int) -> list[Customer]:
        """Registers so many customers, each with a current account."""
        bank, made = self._product.bank, []
        async with self._product.database.transaction() as session:
            for index in range(count):
                phone = str(NUMBER_FIRST + index)
                id_number = complete_id_number(f"11010119900307{index + 1:03d}")
                customer = await bank.customers.create(
                    session, phone=phone, name="测量客户", id_number=id_number
                )
                await bank.accounts.open(
                    session,
                    customer_id=customer.id,
                    kind="current",
                    name="活期账户",
                    opened_on=date(2026, 1, 5),
                    is_default=True,
                )
                made.append(Customer(customer.id, phone, id_number[-4:].replace("X", "*")))
        return made

    async def code_for(self, customer: Customer) -> str:
        """The one-time code that was sent. Raises LogInFailed when none comes."""
        sms = self._product.bank.providers.sandbox_sms
        assert sms is not None, "a demo bank sends into a sandbox"
        until_s = perf_counter() + WAIT_S
        while perf_counter() < until_s:
            for message in await sms.recent(1, phone=customer.phone):
                if found := _CODE.search(message.text):
                    return found[0]
            await asyncio.sleep(LOOK_S)
        raise LogInFailed("验证码没有发出来")

    async def logged_in(self, customer: Customer) -> None:
        """Returns once a conversation is theirs. Raises LogInFailed when none becomes it."""
        query = select(func.count()).where(Conversation.customer_id == customer.id)
        until_s = perf_counter() + WAIT_S
        while perf_counter() < until_s:
            async with self._product.database.snapshot() as session:
                if await session.scalar(query):
                    return
            await asyncio.sleep(LOOK_S)
        raise LogInFailed("验证码或证件尾号没有被接受")

    async def close(self) -> None:
        """Closes the databases."""
        await self._product.close()
