"""The order `topup`: phone credit, held at once and settled by the carrier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.configuration import TermsError
from banking_core.core import Core
from banking_core.customers.models import Customer
from banking_core.ledger.types import InternalAccount
from banking_core.living.errors import TopupAmountInvalid
from banking_core.living.holding import LIMIT_GROUP, ensure_paying_kind, hold, release, text_of
from banking_core.money_text import amount_fact, fee_fact, fen_to_yuan_text, mask_number, mask_phone
from banking_core.orders.models import Order
from banking_core.orders.types import Quote, Settled, Submitted

if TYPE_CHECKING:
    from banking_core.living.service import Living

AMOUNTS_TERM = "living.topup_amounts_yuan"


class TopupHandler:
    """`topup` {from_account_id, phone, amount_fen}: one of the amounts the carriers sell."""

    kind = "topup"

    def __init__(self, living: Living, core: Core) -> None:
        self._living = living
        self._core = core
        self.amounts_fen = amounts_of(core)

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises TopupPhoneInvalid, TopupAmountInvalid, InvalidInput, ProviderUnavailable."""
        account = await self._core.accounts.own(session, customer.id, text_of(body, "from_account_id"))
        ensure_paying_kind(account)
        offer = await self._living.topup_offer(text_of(body, "phone"))
        amount_fen = body.get("amount_fen")
        if isinstance(amount_fen, bool) or amount_fen not in offer.amounts_fen:
            sold = "、".join(str(amount // 100) for amount in offer.amounts_fen)
            raise TopupAmountInvalid(
                "not an amount on sale",
                field="amount_fen",
                customer_text=f"话费可以充{sold}元，请告诉我充哪一个。",
            )
        fee_fen = self._core.tariff.fee_fen(self.kind, amount_fen, level=customer.level)
        # Shown in full, in groups: a slip in the middle must be visible before the money goes.
        phone = f"{offer.phone[:3]} {offer.phone[3:7]} {offer.phone[7:]}"
        facts = (
            ("充值号码", f"{phone}（{offer.carrier}）"),
            ("付款账户", f"{account.name} {mask_number(account.number)}"),
            ("金额", amount_fact(amount_fen)),
            ("手续费", fee_fact(fee_fen)),
        )
        normalised = {
            "from_account_id": account.id,
            "phone": offer.phone,
            "amount_fen": amount_fen,
            "carrier": offer.carrier,
        }
        return Quote(
            amount_fen=amount_fen,
            fee_fen=fee_fen,
            facts=facts,
            step_up="none",
            body=normalised,
            source_account_id=account.id,
            limit_group=LIMIT_GROUP,
        )

    async def execute(self, session: AsyncSession, order: Order) -> Submitted:
        """Holds the money for the carrier."""
        transaction_id = await hold(
            session,
            self._core,
            order,
            to=InternalAccount.TOPUP_SUSPENSE,
            counterparty=order.body["carrier"],
            category="topup",
            summary=f"话费充值 {mask_phone(order.body['phone'])}",
        )
        arrival = self._core.tariff.arrival(self.kind, order.amount_fen, self._core.clock.now())
        facts = (*_facts(order), ("状态", "已提交，等待运营商确认"))
        return Submitted(facts, transaction_id, sends_at=arrival.sends_at, arrives_at=arrival.arrives_by)

    async def settle(self, order: Order) -> Settled:
        """Asks the carrier for the credit; safe to repeat."""
        result = await self._core.providers.topup.topup(
            key=order.number, phone=order.body["phone"], amount_fen=order.amount_fen
        )
        if not result.ok:
            return Settled(False, failure_code=result.failure_code, failure_text=result.failure_text)
        return Settled(True, (*_facts(order), ("状态", "充值成功")), reference=result.reference)

    async def on_settled(self, session: AsyncSession, order: Order, settled: Settled) -> None:
        """Books the held money to the carrier."""
        if settled.ok:
            await release(
                session,
                self._core,
                order,
                held=InternalAccount.TOPUP_SUSPENSE,
                to=InternalAccount.TOPUP_SETTLEMENT,
            )


def amounts_of(core: Core) -> tuple[int, ...]:
    """The amounts on sale in fen, rising; raises TermsError when the term is not a list of whole yuan."""
    amounts = core.terms.value(AMOUNTS_TERM)
    if not isinstance(amounts, list) or not amounts:
        raise TermsError(f"{AMOUNTS_TERM} is not a list of amounts")
    if not all(isinstance(amount, int) and not isinstance(amount, bool) and amount > 0 for amount in amounts):
        raise TermsError(f"{AMOUNTS_TERM} holds something that is not a whole amount")
    return tuple(sorted(amount * 100 for amount in amounts))


def _facts(order: Order) -> tuple[tuple[str, str], ...]:
    return (
        ("充值号码", f"{mask_phone(order.body['phone'])}（{order.body['carrier']}）"),
        ("金额", fen_to_yuan_text(order.amount_fen)),
    )
