"""Utility companies that issue bills and take payments."""

from __future__ import annotations

from datetime import date
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.inserts import insert_if_absent_in
from banking_core.ledger.hashing import digest
from banking_core.providers.protocols import Biller, ProviderBill, ProviderResult
from banking_core.providers.sandbox.store import SandboxBill, SandboxStore


@checked
class BillingSandbox:
    """A BillingProvider whose bills are issued by the demo or a test."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    async def issue(
        self,
        *,
        biller: Biller,
        provider_name: str,
        account_no: str,
        period: date,
        amount_fen: int,
        due_on: date,
        paid: bool = False,
    ) -> ProviderBill:
        """Issues a bill; one per biller, customer number and month: a second one is the first one again."""
        period = period.replace(day=1)
        bill_id = digest([biller, account_no, period.isoformat()])[:32]
        values = {
            "id": bill_id,
            "biller": biller,
            "provider_name": provider_name,
            "account_no": account_no,
            "period": period,
            "amount_fen": amount_fen,
            "due_on": due_on,
            "status": "paid" if paid else "unpaid",
        }
        async with self._store.transaction() as session:
            await insert_if_absent_in(session, SandboxBill.__table__, values, unique="id")
            row = await session.get(SandboxBill, bill_id)
            assert row is not None
            return _bill(row)

    async def bills(self, *, biller: Biller, account_no: str) -> list[ProviderBill]:
        """Bills of one customer number, newest period first."""
        statement = (
            select(SandboxBill)
            .where(SandboxBill.biller == biller, SandboxBill.account_no == account_no)
            .order_by(SandboxBill.period.desc(), SandboxBill.id)
        )
        async with self._store.snapshot() as session:
            return [_bill(row) for row in await session.scalars(statement)]

    async def bill(self, bill_id: str) -> ProviderBill | None:
        """One bill, or None when unknown."""
        async with self._store.snapshot() as session:
            row = await session.get(SandboxBill, bill_id)
            return None if row is None else _bill(row)

    async def pay(self, *, key: str, bill_id: str, amount_fen: int) -> ProviderResult:
        """Pays a bill in full; refuses an unknown one, one that is paid, and another amount."""

        async def pay(session: AsyncSession) -> ProviderResult:
            statement = select(SandboxBill).where(SandboxBill.id == bill_id).with_for_update()
            row = await session.scalar(statement)
            if row is None:
                return _refused("bill_unknown", "缴费单位没有找到这张账单")
            if row.status == "paid":
                return _refused("bill_paid", "这张账单已经缴清")
            if row.amount_fen != amount_fen:
                return _refused("amount_differs", "账单金额已经变化")
            row.status = "paid"
            return ProviderResult(ok=True, reference=f"JF{digest([key])[:12].upper()}")

        request = {"bill_id": bill_id, "amount_fen": amount_fen}
        return await self._store.once("billing", key, request, pay)


def _refused(code: str, text: str) -> ProviderResult:
    return ProviderResult(ok=False, failure_code=code, failure_text=text)


def _bill(row: SandboxBill) -> ProviderBill:
    return ProviderBill(
        id=row.id,
        biller=cast(Biller, row.biller),
        provider_name=row.provider_name,
        account_no=row.account_no,
        period=row.period,
        amount_fen=row.amount_fen,
        due_on=row.due_on,
        status="paid" if row.status == "paid" else "unpaid",
    )
