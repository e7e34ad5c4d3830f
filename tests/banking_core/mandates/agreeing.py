"""A payer, a payee and the steps of a mandate between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select

from banking_core.bank import Bank
from banking_core.clock import BANK_ZONE, ManualClock
from banking_core.mandates import Mandate, MandateRun
from banking_core.notices import Notice
from banking_core.orders import Order
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying

MONTHLY = {"frequency": "monthly", "day": 15}


@dataclass
class Agreeing:
    """The payer has 1,000 yuan; it is Monday 2 November 2026, ten in the morning."""

    bank: Bank
    database: Database
    clock: ManualClock
    paying: Paying

    @classmethod
    async def open(cls, bank: Bank, database: Database, clock: ManualClock, fen: int = 1_000_00) -> Agreeing:
        return cls(bank, database, clock, await Paying.open(database, bank, fen))

    @property
    def payer_id(self) -> str:
        return self.paying.payer.id

    def body(self, order: dict[str, Any] | None = None, **schedule: Any) -> dict[str, Any]:
        order = order or self.paying.body(100_00, purpose="房租")
        return {"kind": "transfer", "order": order, "title": "房租"} | (schedule or MONTHLY)

    async def agree(self, order: dict[str, Any] | None = None, **schedule: Any) -> Mandate:
        made = await self.paying.draft(self.body(order, **schedule), kind="mandate_create")
        await self.paying.confirm(made)
        assert (await self.paying.execute(made)).status == "executed"
        async with self.database.snapshot() as session:
            found = await session.scalar(select(Mandate).where(Mandate.order_id == made.id))
        assert found is not None
        return found

    async def change(self, mandate: Mandate, action: str) -> Order:
        order = await self.paying.draft({"mandate_id": mandate.id}, kind=f"mandate_{action}")
        await self.paying.confirm(order)
        return await self.paying.execute(order, otp_verified=False)

    def at(self, day: date, hour: int = 9, minute: int = 0) -> None:
        """Moves the clock forward to a time of the bank."""
        then = datetime.combine(day, time(hour, minute), tzinfo=BANK_ZONE)
        self.clock.advance(seconds=(then - self.clock.now()).total_seconds())

    async def run(self, day: date | None = None, hour: int = 9) -> str:
        if day is not None:
            self.at(day, hour)
        return await self.bank.mandates.run_due(self.database)

    async def stored(self, mandate: Mandate) -> Mandate:
        async with self.database.snapshot() as session:
            return await self.bank.mandates.get(session, mandate.id, self.payer_id)

    async def runs(self, mandate: Mandate) -> list[tuple[str, str, int]]:
        """Due day, outcome and attempt of every try, oldest first."""
        async with self.database.snapshot() as session:
            runs = await self.bank.mandates.runs(session, mandate.id, self.payer_id)
        return [(f"{run.due_on:%m-%d}", run.outcome, run.attempt) for run in reversed(runs)]

    async def run_rows(self, mandate: Mandate) -> list[MandateRun]:
        async with self.database.snapshot() as session:
            return list(await self.bank.mandates.runs(session, mandate.id, self.payer_id))

    async def orders(self) -> list[Order]:
        """The orders that mandates made, newest first."""
        async with self.database.snapshot() as session:
            found = await self.bank.orders.latest(session, self.payer_id, limit=100)
            return [order for order in found if order.mandate_id]

    async def notices(self) -> list[Notice]:
        async with self.database.snapshot() as session:
            return list(await self.bank.notices.list(session, self.payer_id, limit=100))

    async def paid_fen(self) -> int:
        return (await self.paying.balances_fen())[1]
