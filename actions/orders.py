"""The common course of every skill that drafts an order: read back, confirm, prove, execute, receipt."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from actions.proving import VOICE_KINDS, next_proof, proofs_of
from actions.receipts import receipt
from actions.services import bank_of, customer_of, refusals
from banking_core.identity import voice_only
from banking_core.orders.models import Order
from banking_core.orders.states import CANCELLABLE, OPEN
from bot.dialogue.phrases import answers
from bot.dialogue.reasons import Reason
from bot.dialogue.reply import Card, Fact, Reply
from bot.dialogue.skill import (
    AskSecret,
    Done,
    Held,
    Prove,
    ReadBack,
    SettleLater,
    Skill,
    Step,
    Turn,
    Unproved,
)
from bot.dialogue.state import Frame

HELD = "为了您的资金安全，这笔业务要先由人工同事和您核实，钱没有动。"
HELD_RENEW = "您的声纹需要重录，这笔业务先由人工同事和您核实，钱没有动。"
NO_VOICE = "这笔业务要声纹核实，现在做不了"
UNPROVED: dict[Unproved, str] = {
    "unclear": "核实没有通过：试了几次都不对",
    "suspicious": "声纹核实失败：明显不是客户本人的声音，或者放的是录音",
    "declined": "客户没有做声纹核实",
    "not_offered": NO_VOICE,
}


class OrderSkill(Skill):
    """A subclass names the order kind and makes its body from the slot values."""

    kind: ClassVar[str]
    ask_again: ClassVar[dict[str, str]] = {}  # error code -> slot to ask for again
    held: ClassVar[str] = HELD  # what is said when a proof was not had and an agent looks at it

    @abstractmethod
    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """The order's body from the filled slots."""

    async def run(self, turn: Turn, frame: Frame) -> Step:
        """Drafts the order; the key holds the frame's revision, so the same read-back is the same order."""
        order = await self._draft(turn, frame)
        if order.status not in OPEN or bank_of(turn).clock.now() >= order.expires_at:
            frame.revision += 1
            order = await self._draft(turn, frame)
        if order.needs_human and frame.phase == "held":
            # More has been said since, perhaps by an agent: it is judged anew.
            await bank_of(turn).orders.cancel(turn.session, order.id, customer_of(turn), reason="judged anew")
            frame.revision += 1
            order = await self._draft(turn, frame)
        if order.status not in OPEN:
            return Done(receipt(order))  # the risk area blocked it
        if order.needs_human:
            return _to_human(order)
        with refusals():
            await bank_of(turn).orders.read_back(turn.session, order.id, customer_of(turn))
        return ReadBack(self.read_back(order), order.id)

    async def _draft(self, turn: Turn, frame: Frame) -> Order:
        with refusals(**self.ask_again):
            return await bank_of(turn).orders.draft(
                turn.session,
                customer_id=customer_of(turn),
                kind=self.kind,
                body=await self.body(turn, frame),
                idempotency_key=f"{turn.conversation_id}:{frame.frame_id}:{frame.revision}",
                channel=turn.channel,
                conversation_id=turn.conversation_id,
                context=await turn.circumstances(),
                code_for_money=voice_only(turn.login),
            )

    def read_back(self, order: Order) -> Reply:
        """Everything that matters, in words and as a card."""
        spoken = "，".join(f"{label}{value}" for label, value in order.facts)
        question = f"确认要{self.title}吗？"
        return Reply(
            f"请您核对：{spoken}。{question}",
            card=Card(
                kind="readback",
                title=f"请核对 · {self.title}",
                facts=tuple(Fact(*fact) for fact in order.facts),
                asks=question,
            ),
            choices=answers(self),
        )

    async def confirm(self, turn: Turn, frame: Frame) -> Step:
        """确认: asks for the proof the order needs, or executes at once."""
        assert frame.order_id is not None
        with refusals():
            order = await bank_of(turn).orders.confirm(turn.session, frame.order_id, customer_of(turn))
            return await self._go_on(turn, order)

    async def proved(self, turn: Turn, frame: Frame) -> Step:
        """A proof was right: the next one, or the order is executed, exactly once."""
        assert frame.order_id is not None
        with refusals():
            order = await bank_of(turn).orders.prove(
                turn.session, frame.order_id, customer_of(turn), proofs_of(turn)
            )
            return await self._go_on(turn, order)

    async def unproved(self, turn: Turn, frame: Frame, why: Unproved) -> Step:
        """A voice that was not had makes way for a code where that is enough; else a human looks at the order."""
        assert frame.order_id is not None
        with refusals():
            orders = bank_of(turn).orders
            order = await orders.get(turn.session, frame.order_id, customer_of(turn))
            missing = await orders.missing(turn.session, order)
            if (
                turn.proof != "voice"
                or why == "suspicious"
                or "voice" in missing
                or "otp" in (order.proofs or ())
            ):
                return await self._held(turn, order, UNPROVED[why])
            return await self._go_on(turn, order, by_voice=False)

    async def _go_on(self, turn: Turn, order: Order, *, by_voice: bool = True) -> Step:
        """Asks for what is missing, or carries the order out; it may turn out then that more is needed."""
        needed = await next_proof(turn, order, by_voice=by_voice)
        if needed is None:
            order = await bank_of(turn).orders.execute(
                turn.session,
                order.id,
                customer_of(turn),
                otp_verified=False,
                context=await turn.circumstances(),
            )
            if order.status != "confirmed" or order.risk_verdict != "step_up":
                return await self.done(turn, order)
            needed = await next_proof(turn, order, by_voice=by_voice)
        if isinstance(needed, AskSecret):
            return Prove(Reply(""), needed)
        return _to_human(order) if order.needs_human else await self._held(turn, order, NO_VOICE)

    async def done(self, turn: Turn, order: Order) -> Step:
        """The order has been carried out, is on its way, or waits for a human."""
        return _done(order)

    async def _held(self, turn: Turn, order: Order, reason: str) -> Held:
        """A proof was not had: the order says so to the agent who looks at it."""
        bank, customer_id = bank_of(turn), customer_of(turn)
        unheard = reason == NO_VOICE and order.kind in VOICE_KINDS
        renew = unheard and (await bank.voiceprints.status(turn.session, customer_id)).renew
        held = await bank.orders.hold(
            turn.session, order.id, customer_id, text=HELD_RENEW if renew else self.held, reason=reason
        )
        return _to_human(held)

    async def recall(self, turn: Turn, order_id: str) -> Reply | None:
        """An order that has not been carried out yet is cancelled."""
        orders = bank_of(turn).orders
        order = await orders.get(turn.session, order_id, customer_of(turn))
        if order.status not in CANCELLABLE:
            return None
        with refusals():
            await orders.cancel(turn.session, order.id, customer_of(turn))
        return Reply(f"好的，{self.title}已取消，没有动您的钱。业务编号{order.number}。")

    async def abandon(self, turn: Turn, frame: Frame) -> None:
        """The drafted order is cancelled, unless it is over already."""
        if frame.order_id is None or turn.customer_id is None:
            return
        orders = bank_of(turn).orders
        order = await orders.get(turn.session, frame.order_id, turn.customer_id)
        if order.status in OPEN:
            await orders.cancel(turn.session, order.id, turn.customer_id)


def _done(order: Order) -> Step:
    """The receipt, or a human when the order is still only confirmed."""
    if order.status == "confirmed":
        return _to_human(order)
    effects = (SettleLater(order.id),) if order.status == "submitted" else ()
    return Done(receipt(order), effects=effects, order_id=order.id)


def _to_human(order: Order) -> Held:
    """An agent looks at it first; the order stays as it is."""
    return Held(Reply(order.risk_text or HELD), Reason.RISK, order.id)
