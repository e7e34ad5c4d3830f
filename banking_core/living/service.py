"""Household bills and phone credit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.clock import bank_date
from banking_core.core import Core
from banking_core.living.bill_pay import BillPayHandler
from banking_core.living.errors import BillerUnknown, BillNotFound, TopupPhoneInvalid
from banking_core.living.models import BILLER_NAMES, BillerKind, BillPayment, BillSubscription
from banking_core.living.topup import TopupHandler
from banking_core.providers.protocols import BILLERS, ProviderBill

BillStatus = Literal["unpaid", "processing", "paid"]
PHONE = re.compile(r"1[3-9]\d{9}")


@dataclass(frozen=True)
class Bill:
    """One bill of a household account. `period` reads 2026年10月; 'processing': a payment is on its way."""

    id: str
    biller: BillerKind
    biller_name: str
    provider_name: str
    account_no: str
    address: str
    period: str
    amount_fen: int
    due_on: date
    status: BillStatus
    overdue: bool


@dataclass(frozen=True)
class TopupOffer:
    """What can be bought for a phone number; amounts in fen, rising."""

    phone: str
    carrier: str
    amounts_fen: tuple[int, ...]


@checked
class Living:
    """Bills and top-ups of a customer. Never commits; money moves by the orders `bill_pay` and `topup`."""

    def __init__(self, core: Core) -> None:
        self._clock = core.clock
        self._billing = core.providers.billing
        self._topup = core.providers.topup
        handler = TopupHandler(self, core)
        self._amounts_fen = handler.amounts_fen
        core.orders.register(BillPayHandler(self, core))
        core.orders.register(handler)

    async def subscriptions(
        self, session: AsyncSession, customer_id: str, biller: str | None = None
    ) -> Sequence[BillSubscription]:
        """The household accounts the customer pays for, in the billers' usual order; raises BillerUnknown."""
        if biller is not None and biller not in BILLER_NAMES:
            raise BillerUnknown(field="biller")
        statement = select(BillSubscription).where(BillSubscription.customer_id == customer_id)
        if biller is not None:
            statement = statement.where(BillSubscription.biller == biller)
        rows = await session.scalars(statement)
        order = list(BILLER_NAMES)
        return sorted(rows, key=lambda row: (order.index(row.biller), row.account_no))

    async def subscribe(
        self,
        session: AsyncSession,
        customer_id: str,
        *,
        biller: BillerKind,
        provider_name: str,
        account_no: str,
        address: str,
    ) -> BillSubscription:
        """Adds a household account, or returns the one that is there already. `address` is given masked."""
        if biller not in BILLERS:
            raise BillerUnknown(field="biller")
        for row in await self.subscriptions(session, customer_id, biller):
            if row.account_no == account_no:
                return row
        row = BillSubscription(
            customer_id=customer_id,
            biller=biller,
            provider_name=provider_name,
            account_no=account_no,
            address=address,
            created_at=self._clock.now(),
        )
        session.add(row)
        await session.flush()
        return row

    async def bills(self, session: AsyncSession, customer_id: str, biller: str | None = None) -> list[Bill]:
        """Bills of the customer's household accounts, unpaid first, then newest period first.

        Raises BillerUnknown, and ProviderUnavailable when the billers do not answer.
        """
        rows = await self.subscriptions(session, customer_id, biller)
        answers = await asyncio.gather(
            *(self._billing.bills(biller=_biller(row), account_no=row.account_no) for row in rows)
        )
        pairs = [(row, bill) for row, answer in zip(rows, answers, strict=True) for bill in answer]
        on_the_way = await self._on_the_way(session, [bill.id for _, bill in pairs])
        pairs.sort(key=lambda pair: (pair[1].status == "paid", -pair[1].period.toordinal()))
        return [self._view(row, bill, on_the_way) for row, bill in pairs]

    async def bill(self, session: AsyncSession, customer_id: str, bill_id: str) -> Bill:
        """One bill of the customer's; raises BillNotFound, ProviderUnavailable."""
        answer = await self._billing.bill(bill_id)
        if answer is None:
            raise BillNotFound("the biller knows no such bill")
        for row in await self.subscriptions(session, customer_id, answer.biller):
            if row.account_no == answer.account_no:
                return self._view(row, answer, await self._on_the_way(session, [bill_id]))
        raise BillNotFound("the bill is of another household account")

    async def topup_offer(self, phone: str) -> TopupOffer:
        """What can be bought for a phone number; raises TopupPhoneInvalid, ProviderUnavailable."""
        if not isinstance(phone, str) or not PHONE.fullmatch(phone):
            raise TopupPhoneInvalid("not a mobile number", field="phone")
        carrier = await self._topup.carrier(phone)
        if carrier is None:
            raise TopupPhoneInvalid(
                "no carrier has this prefix",
                field="phone",
                customer_text="没有查到这个手机号的运营商，请核对号码后再告诉我。",
            )
        return TopupOffer(phone, carrier, self._amounts_fen)

    async def _on_the_way(self, session: AsyncSession, bill_ids: Sequence[str]) -> set[str]:
        statement = select(BillPayment.bill_id).where(
            BillPayment.bill_id.in_(bill_ids), BillPayment.status != "failed"
        )
        return set(await session.scalars(statement)) if bill_ids else set()

    def _view(self, row: BillSubscription, bill: ProviderBill, on_the_way: set[str]) -> Bill:
        status: BillStatus = bill.status
        if status == "unpaid" and bill.id in on_the_way:
            status = "processing"
        today = bank_date(self._clock.now())
        return Bill(
            id=bill.id,
            biller=bill.biller,
            biller_name=BILLER_NAMES[bill.biller],
            provider_name=bill.provider_name,
            account_no=bill.account_no,
            address=row.address,
            period=f"{bill.period.year}年{bill.period.month}月",
            amount_fen=bill.amount_fen,
            due_on=bill.due_on,
            status=status,
            overdue=status == "unpaid" and bill.due_on < today,
        )


def _biller(row: BillSubscription) -> BillerKind:
    """The biller of a row, as the type the providers take; the table holds no other."""
    return next(biller for biller in BILLERS if biller == row.biller)
