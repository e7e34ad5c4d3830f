"""Losing a card and finding it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.orders import OrderSkill
from actions.services import bank_of, customer_of
from banking_core.cards.models import Card as BankCard
from banking_core.money_text import mask_number
from bot.dialogue.filling import which_one_reply
from bot.dialogue.reply import Reply
from bot.dialogue.skill import Accepted, Manner, SkillRefused, Turn
from bot.dialogue.slots import OwnedSlot
from bot.dialogue.state import Frame

KIND_WORDS = {"debit": ("借记卡", "储蓄卡", "工资卡"), "credit": ("信用卡", "贷记卡")}


class CardSlot(OwnedSlot):
    """One of the customer's cards in one of the wanted states; value is the card id."""

    def __init__(self, *, question: str, lost: bool, nothing: str) -> None:
        super().__init__("card", "卡", question=question)
        self.lost = lost
        self.nothing_text = nothing

    async def _cards(self, turn: Turn) -> list[BankCard]:
        if turn.customer_id is None:
            return []
        cards = await bank_of(turn).cards.list_for(turn.session, turn.customer_id)
        return [card for card in cards if (card.status == "lost") == self.lost]

    async def owned(self, turn: Turn, frame: Frame) -> Sequence[tuple[Accepted, str, tuple[str, ...]]]:
        """Cards by tail number and by the words for their kind."""
        return [
            (_accepted(card), card.tail, (card.kind_name, *KIND_WORDS[card.kind]))
            for card in await self._cards(turn)
        ]

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """The only card there is; none at all ends the skill."""
        cards = await self._cards(turn)
        if not cards:
            raise SkillRefused(self.nothing_text)
        return _accepted(cards[0]) if len(cards) == 1 else None

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """Lists the cards."""
        return which_one_reply(
            frame, self.name, self.question, tuple(_accepted(card) for card in await self._cards(turn))
        )


def _accepted(card: BankCard) -> Accepted:
    return Accepted(card.id, f"{card.kind_name} {mask_number(card.number)}")


class ReportLossSkill(OrderSkill):
    """挂失: at once, and nothing is asked but which card."""

    intent = "card_report_loss"
    title = "挂失"
    kind = "card_report_loss"
    manner = Manner(example="我的卡丢了，要挂失", guarded=True, opposite="card_cancel_loss")
    slots = (
        CardSlot(
            question="要挂失哪张卡？", lost=False, nothing="您名下没有可以挂失的卡，已经挂失的不用再办。"
        ),
    )

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """The card."""
        assert customer_of(turn)
        return {"card_id": frame.values["card"]}


class CancelLossSkill(OrderSkill):
    """卡找到了: the loss report is revoked, with a one-time code."""

    intent = "card_cancel_loss"
    title = "解除挂失"
    kind = "card_cancel_loss"
    manner = Manner(example="卡找到了，取消挂失", guarded=True)
    slots = (
        CardSlot(question="要解除哪张卡的挂失？", lost=True, nothing="您名下没有挂失中的卡，可以正常使用。"),
    )

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """The card."""
        return {"card_id": frame.values["card"]}
