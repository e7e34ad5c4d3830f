"""The order `bill_pay`: money is held at once, the biller settles it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.core import Core
from banking_core.customers.models import Customer
from banking_core.ledger.types import InternalAccount
from banking_core.living.errors import BillAlreadyPaid, BillNotFound
from banking_core.living.holding import LIMIT_GROUP, ensure_paying_kind, hold, release, text_of
from banking_core.living.models import BillPayment
from banking_core.money_text import amount_fact, fee_fact, fen_to_yuan_text, mask_number
from banking_core.orders.models import Order
from banking_core.orders.types import Quote, Settled, Submitted

if TYPE_CHECKING:
    from banking_core.living.service import Living

ALREADY_PAID_TEXTS = {
    "processing": "这张账单正在缴费，结果马上就到，没有重复扣款。",
    "paid": "这张账单已经缴过了，没有重复扣款。",
}


class BillPayHandler:
    """`bill_pay` {from_account_id, biller, bill_id}: pays one bill in full."""

    kind = "bill_pay"

    def __init__(self, living: Living, core: Core) -> None:
        self._living = living
        self._core = core

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises BillNotFound, BillAlreadyPaid, InvalidInput, ProviderUnavailable."""
        account = await self._core.accounts.own(session, customer.id, text_of(body, "from_account_id"))
        ensure_paying_kind(account)
        bill = await self._living.bill(session, customer.id, text_of(body, "bill_id"))
        if body.get("biller") not in (None, bill.biller):
            raise BillNotFound("the bill is another biller's")
        if bill.status != "unpaid":
            raise BillAlreadyPaid(bill.status, customer_text=ALREADY_PAID_TEXTS[bill.status])
        fee_fen = self._core.tariff.fee_fen(self.kind, bill.amount_fen, level=customer.level)
        facts = (
            ("缴费项目", bill.biller_name),
            ("收费单位", bill.provider_name),
            ("户号", bill.account_no),
            ("账期", bill.period),
            ("付款账户", f"{account.name} {mask_number(account.number)}"),
            ("金额", amount_fact(bill.amount_fen)),
            ("手续费", fee_fact(fee_fen)),
        )
        normalised = {
            "from_account_id": account.id,
            "biller": bill.biller,
            "bill_id": bill.id,
            "biller_name": bill.biller_name,
            "provider_name": bill.provider_name,
            "account_no": bill.account_no,
            "period": bill.period,
        }
        return Quote(
            amount_fen=bill.amount_fen,
            fee_fen=fee_fen,
            facts=facts,
            step_up="none",
            body=normalised,
            source_account_id=account.id,
            limit_group=LIMIT_GROUP,
        )

    async def execute(self, session: AsyncSession, order: Order) -> Submitted:
        """Holds the money for the biller; raises BillAlreadyPaid when another payment came first."""
        body = order.body
        claim = insert(BillPayment).values(
            order_number=order.number,
            customer_id=order.customer_id,
            bill_id=body["bill_id"],
            status="submitted",
            created_at=self._core.clock.now(),
        )
        try:
            await session.execute(claim)
        except IntegrityError as error:
            raise BillAlreadyPaid("a payment of this bill exists") from error
        transaction_id = await hold(
            session,
            self._core,
            order,
            to=InternalAccount.BILLER_SUSPENSE,
            counterparty=body["provider_name"],
            category="utilities",
            summary=body["biller_name"],
        )
        facts = (
            ("缴费项目", body["biller_name"]),
            ("收费单位", body["provider_name"]),
            ("户号", body["account_no"]),
            ("金额", fen_to_yuan_text(order.amount_fen)),
            ("状态", "已提交，等待收费单位确认"),
        )
        arrival = self._core.tariff.arrival(self.kind, order.amount_fen, self._core.clock.now())
        return Submitted(facts, transaction_id, sends_at=arrival.sends_at, arrives_at=arrival.arrives_by)

    async def settle(self, order: Order) -> Settled:
        """Pays the biller; safe to repeat."""
        result = await self._core.providers.billing.pay(
            key=order.number, bill_id=order.body["bill_id"], amount_fen=order.amount_fen
        )
        if not result.ok:
            return Settled(False, failure_code=result.failure_code, failure_text=result.failure_text)
        facts = (
            ("缴费项目", order.body["biller_name"]),
            ("收费单位", order.body["provider_name"]),
            ("户号", order.body["account_no"]),
            ("账期", order.body["period"]),
            ("金额", fen_to_yuan_text(order.amount_fen)),
            ("状态", "缴费成功"),
        )
        return Settled(True, facts, reference=result.reference)

    async def on_settled(self, session: AsyncSession, order: Order, settled: Settled) -> None:
        """Books the held money to the biller, or frees the bill for another try."""
        payment = await session.get_one(BillPayment, order.number)
        payment.status = "settled" if settled.ok else "failed"
        if settled.ok:
            await release(
                session,
                self._core,
                order,
                held=InternalAccount.BILLER_SUSPENSE,
                to=InternalAccount.BILLER_SETTLEMENT,
            )
        await session.flush()
