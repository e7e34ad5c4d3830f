"""Two customers and the steps of a transfer between them, for tests of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from banking_core.core import Core
from banking_core.orders import Order
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

OTHER_BANK_NUMBER = "6222020200112233445"
CLOSED_NUMBER = "6222020200110000"


@dataclass
class Paying:
    """A payer with 1,000 yuan and a payee with nothing."""

    database: Database
    core: Core
    payer: Person
    payee: Person
    drafted: list[str] = field(default_factory=list)
    context: dict[str, Any] = field(default_factory=dict)  # what the caller tells the risk area

    @classmethod
    async def open(
        cls, database: Database, core: Core, balance_fen: int = 1_000_00, *, acquainted: bool = True
    ) -> Paying:
        """With `acquainted` the payee has been in the payer's book for a year."""
        async with database.transaction() as session:
            payer = await make_person(session, core, "张伟", "13800000004", balance_fen)
            payee = await make_person(session, core, "张三", "13800000014")
            if acquainted:
                await core.payees.add(
                    session,
                    customer_id=payer.id,
                    name="张三",
                    account_number=payee.account.number,
                    created_at=core.clock.now() - timedelta(days=365),
                )
        return cls(database, core, payer, payee)

    def body(self, amount_fen: int = 100_00, **changes: Any) -> dict[str, Any]:
        return {
            "from_account_id": self.payer.account.id,
            "payee_name": "张三",
            "payee_account_number": self.payee.account.number,
            "payee_bank_code": None,
            "amount_fen": amount_fen,
            "purpose": "",
        } | changes

    def interbank(self, amount_fen: int = 100_00, number: str = OTHER_BANK_NUMBER) -> dict[str, Any]:
        return self.body(amount_fen, payee_name="王小明", payee_account_number=number, payee_bank_code="ICBC")

    async def draft(
        self, body: dict[str, Any] | None = None, key: str | None = None, kind: str = "transfer"
    ) -> Order:
        key = key or f"key-{len(self.drafted)}"
        self.drafted.append(key)
        async with self.database.transaction() as session:
            return await self.core.orders.draft(
                session,
                customer_id=self.payer.id,
                kind=kind,
                body=body if body is not None else self.body(),
                idempotency_key=key,
                channel="web",
                context=self.context,
            )

    async def confirm(self, order: Order) -> Order:
        async with self.database.transaction() as session:
            await self.core.orders.read_back(session, order.id, self.payer.id)
            return await self.core.orders.confirm(session, order.id, self.payer.id)

    async def execute(self, order: Order, *, otp_verified: bool = True) -> Order:
        async with self.database.transaction() as session:
            return await self.core.orders.execute(
                session, order.id, self.payer.id, otp_verified=otp_verified, context=self.context
            )

    async def cancel(self, order: Order) -> Order:
        async with self.database.transaction() as session:
            return await self.core.orders.cancel(session, order.id, self.payer.id)

    async def pay(self, body: dict[str, Any] | None = None) -> Order:
        order = await self.draft(body)
        await self.confirm(order)
        return await self.execute(order)

    async def stored(self, order: Order) -> Order:
        async with self.database.snapshot() as session:
            found = await self.core.orders.get(session, order.id, self.payer.id)
            session.expunge(found)
            return found

    async def balances_fen(self) -> tuple[int, int]:
        """What payer and payee hold."""
        ids = (self.payer.account.ledger_account_id, self.payee.account.ledger_account_id)
        async with self.database.snapshot() as session:
            payer, payee = [await self.core.ledger.balance_fen(session, id_) for id_ in ids]
        return payer, payee

    async def verify(self) -> None:
        async with self.database.snapshot() as session:
            report = await self.core.ledger.verify(session)
        assert report.ok, report.problems
