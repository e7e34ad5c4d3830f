"""Cards: looking them up, reporting a loss, taking the report back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.cards.errors import CardLost, CardNotFound, CardStateConflict
from banking_core.cards.models import Card
from banking_core.cards.orders import CancelLossHandler, LostCardGuard, ReportLossHandler
from banking_core.checked import checked
from banking_core.core import Core
from banking_core.money_text import mask_number

STOPPED = ("lost", "frozen")


@checked
class Cards:
    """A customer's cards. Never commits."""

    def __init__(self, core: Core) -> None:
        self._clock = core.clock
        self._log = core.identity.log
        core.orders.register(ReportLossHandler(self))
        core.orders.register(CancelLossHandler(self))
        core.orders.add_guard(LostCardGuard(self))

    async def list_for(self, session: AsyncSession, customer_id: str) -> Sequence[Card]:
        """The customer's cards, debit cards first, then by the day they were issued."""
        rows = await session.scalars(select(Card).where(Card.customer_id == customer_id))
        return sorted(rows, key=lambda card: (card.kind != "debit", card.issued_on, card.number))

    async def own(self, session: AsyncSession, customer_id: str, card_id: str, *, lock: bool = False) -> Card:
        """The card if it is this customer's, locked for writing on request; raises CardNotFound."""
        statement = select(Card).where(Card.id == card_id, Card.customer_id == customer_id)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        card = await session.scalar(statement)
        if card is None:
            raise CardNotFound("no such card of this customer")
        return card

    async def by_tail(self, session: AsyncSession, customer_id: str, tail: str) -> Sequence[Card]:
        """The customer's cards whose number ends in `tail` (1 to 19 digits; anything else finds none)."""
        if not tail.isdecimal():
            return []
        return [card for card in await self.list_for(session, customer_id) if card.number.endswith(tail)]

    async def ensure_account_may_pay(self, session: AsyncSession, account_id: str) -> None:
        """Raises CardLost when a card of the account is lost or frozen: its money must not leave."""
        stopped = await session.scalar(
            select(Card.id).where(Card.account_id == account_id, Card.status.in_(STOPPED)).limit(1)
        )
        if stopped is not None:
            raise CardLost("the account's card is lost or frozen")

    async def report_loss(self, session: AsyncSession, customer_id: str, card_id: str) -> Card:
        """Stops the card at once. A second report of a lost card changes nothing."""
        card = await self.own(session, customer_id, card_id, lock=True)
        if card.status != "lost":
            before = card.status_before_loss = card.status
            card.status = "lost"
            card.lost_at = self._clock.now()
            await self._record(session, card, "loss_reported", before)
        return card

    async def cancel_loss(self, session: AsyncSession, customer_id: str, card_id: str) -> Card:
        """Gives a lost card the status it had before; raises CardStateConflict when it is not lost."""
        card = await self.own(session, customer_id, card_id, lock=True)
        if card.status != "lost":
            raise CardStateConflict(
                f"card is {card.status}", customer_text=f"这张卡现在是“{card.status_name}”，不需要解除挂失。"
            )
        card.status = card.status_before_loss or "active"
        card.status_before_loss = None
        card.lost_at = None
        await self._record(session, card, "loss_cancelled", "lost")
        return card

    async def _record(self, session: AsyncSession, card: Card, what: str, before: str) -> None:
        await session.flush()
        detail = {"card_tail": card.tail}
        await self._log.record(session, f"card_{what}", customer_id=card.customer_id, detail=detail)
        note(
            session,
            f"card.{what}",
            at=self._clock.now(),
            customer_id=card.customer_id,
            object_kind="card",
            object_id=card.id,
            before={"status": before},
            after={"status": card.status, "card": mask_number(card.number)},
        )
