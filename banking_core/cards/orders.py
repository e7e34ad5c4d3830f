"""Orders of the card area, and the guard that keeps a lost card's money where it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.cards.errors import CardNotFound, CardStateConflict
from banking_core.clock import BANK_ZONE
from banking_core.customers.models import Customer
from banking_core.money_text import mask_number
from banking_core.orders.models import Order
from banking_core.orders.types import Executed, GuardSubject, Quote, StepUp

if TYPE_CHECKING:
    from banking_core.cards.models import Card
    from banking_core.cards.service import Cards


class ReportLossHandler:
    """`card_report_loss` {card_id}: stops a card at once, without a code: hurry matters more."""

    kind = "card_report_loss"
    step_up: StepUp = "none"

    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises CardNotFound, or CardStateConflict when the card is lost already."""
        card = await self._cards.own(session, customer.id, card_id_of(body))
        if card.status == "lost":
            raise CardStateConflict(
                "already lost", customer_text=f"{card_text(card)}已经挂失，不需要再办，这张卡现在不能付款。"
            )
        return _quote(card, "挂失", "立即生效，挂失后这张卡及其账户不能付款，转入不受影响", self.step_up)

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Marks the card lost."""
        card = await self._cards.report_loss(session, order.customer_id, order.body["card_id"])
        assert card.lost_at is not None
        at = card.lost_at.astimezone(BANK_ZONE).strftime("%Y-%m-%d %H:%M")
        return Executed((("卡片", card_text(card)), ("状态", card.status_name), ("挂失时间", at)))


class CancelLossHandler:
    """`card_cancel_loss` {card_id}: gives a found card its use back, after a code."""

    kind = "card_cancel_loss"
    step_up: StepUp = "otp"

    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises CardNotFound, or CardStateConflict when the card is not lost."""
        card = await self._cards.own(session, customer.id, card_id_of(body))
        if card.status != "lost":
            raise CardStateConflict(
                f"card is {card.status}",
                customer_text=f"{card_text(card)}现在是“{card.status_name}”，不需要解除挂失。",
            )
        return _quote(card, "解除挂失", "立即生效，恢复挂失前的状态", self.step_up)

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Restores the status the card had before it was reported."""
        card = await self._cards.cancel_loss(session, order.customer_id, order.body["card_id"])
        return Executed((("卡片", card_text(card)), ("状态", card.status_name)))


class LostCardGuard:
    """Refuses every order that would pay out of an account whose card is lost or frozen."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    async def check(self, session: AsyncSession, subject: GuardSubject) -> None:
        """Raises CardLost."""
        if subject.source_account_id is not None:
            await self._cards.ensure_account_may_pay(session, subject.source_account_id)


def card_text(card: Card) -> str:
    """How a card is named to its holder: 借记卡 尾号1234."""
    return f"{card.kind_name} {mask_number(card.number)}"


def card_id_of(body: Mapping[str, Any]) -> str:
    """The card id of an order body; raises CardNotFound when it is no text."""
    card_id = body.get("card_id")
    if not isinstance(card_id, str):
        raise CardNotFound("card_id is not text")
    return card_id


def _quote(card: Card, action: str, effect: str, step_up: StepUp) -> Quote:
    facts = (("业务", action), ("卡片", card_text(card)), ("生效", effect))
    return Quote(amount_fen=0, fee_fen=0, facts=facts, step_up=step_up, body={"card_id": card.id})
