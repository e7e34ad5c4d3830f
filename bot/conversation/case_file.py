"""What is known of a conversation, for whoever helps the customer: so that nobody has to ask again.

Personal data is masked, secrets are not in it: they never get into the state or the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.clock import BANK_ZONE
from banking_core.money_text import mask_name, mask_phone
from banking_core.orders.models import Order
from banking_core.privacy.words import ORDER
from bot.conversation import log, services
from bot.conversation.helping import may_be_proposed
from bot.conversation.models import AgentService, Conversation, Message
from bot.conversation.views import message_view
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.state import Frame, state_from_json

TOPIC_MESSAGES_MAX = 20
TOPICS_MAX = 5
ORDERS_LOOK_MAX = 5
STOPS = ("delay", "human", "block")
VERDICTS = {"allow": "放行", "step_up": "加强验证", "delay": "延迟办理", "human": "人工核实", "block": "拦下"}
PHASES = {"collect": "还在填", "confirm": "已复述，等客户确认", "step_up": "等客户验证", "held": "等坐席核实"}
FILLED = "填好了，还没有确认"  # what had been read back is read back anew once the assistant goes on
NOT_LOGGED_IN = "未登录"


class CaseFile:
    """Reads conversations as the desk shows them, in the caller's transaction."""

    def __init__(self, bank: Bank, registry: SkillRegistry) -> None:
        self._bank = bank
        self._registry = registry

    async def history(
        self, session: AsyncSession, conversation_id: str, after_seq: int, limit: int
    ) -> list[dict[str, Any]]:
        """As the hub's `history`, and with each message `topic`: the title of what was understood, or ""."""
        messages = await log.history(session, conversation_id, after_seq, limit)
        return [message_view(m).to_json() | {"topic": self._topic(m.intent)} for m in messages]

    async def facts(self, session: AsyncSession, conversation: Conversation) -> dict[str, Any]:
        """Everything of one moment of a (locked) conversation; `desk.views.facts_view` says which keys there are."""
        frame = state_from_json(conversation.state).top
        orders = await self._orders(session, conversation)
        facts: dict[str, Any] = {
            "channel": conversation.channel,
            "reason": conversation.handoff_reason,
            "verified": _verified(conversation),
            "who": await self._who(session, conversation),
            "topics": await self._topics(session, conversation.id),
            "orders": [_order(order) for order in _worth_reading(orders)],
            "proposal": _proposal(conversation),
            **_waited(await services.latest(session, conversation.id)),
        }
        return facts | await self._under_way(session, conversation, frame)

    async def _who(self, session: AsyncSession, conversation: Conversation) -> dict[str, str] | None:
        if conversation.customer_id is None:
            return None
        customer = await self._bank.customers.get(session, conversation.customer_id)
        return {
            "name": mask_name(customer.name),
            "phone": mask_phone(customer.phone),
            "level": customer.level,
        }

    async def _under_way(
        self, session: AsyncSession, conversation: Conversation, frame: Frame | None
    ) -> dict[str, Any]:
        """The business half done: its title, every slot with what is filled in, and the order drafted for it."""
        nothing: dict[str, Any] = {
            "skill": None,
            "slots": [],
            "form": [],
            "phase": "",
            "order_number": None,
            "held": False,
        }
        if frame is None or frame.skill not in self._registry:
            return nothing
        skill = self._registry.get(frame.skill)
        number = None
        if frame.order_id and conversation.customer_id:
            order = await self._bank.orders.get(session, frame.order_id, conversation.customer_id)
            number = order.number
        return {
            "skill": skill.title,
            "slots": [[s.label, frame.shown[s.name]] for s in skill.slots if s.name in frame.shown],
            "form": [
                {
                    "name": slot.name,
                    "label": slot.label,
                    "shown": frame.shown.get(slot.name, ""),
                    "asking": slot.name == frame.asking,
                    "question": slot.question,
                }
                for slot in skill.slots
            ]
            if may_be_proposed(skill)
            else [],
            "phase": FILLED if frame.phase == "collect" and frame.order_id else PHASES[frame.phase],
            "order_number": number,
            "held": frame.phase == "held",
        }

    async def _orders(self, session: AsyncSession, conversation: Conversation) -> list[Order]:
        """The newest orders made in this conversation, newest first."""
        if conversation.customer_id is None:
            return []
        newest = await self._bank.orders.latest(session, conversation.customer_id, limit=ORDERS_LOOK_MAX)
        return [order for order in newest if order.conversation_id == conversation.id]

    async def _topics(self, session: AsyncSession, conversation_id: str) -> list[str]:
        """The titles of what was talked about, newest first, each once."""
        rows = await session.scalars(
            select(Message.intent)
            .where(Message.conversation_id == conversation_id, Message.intent.is_not(None))
            .order_by(Message.seq.desc())
            .limit(TOPIC_MESSAGES_MAX)
        )
        intents = dict.fromkeys(intent for intent in rows if intent and self._registry.opens(intent))
        return [self._registry.title(intent) for intent in intents][:TOPICS_MAX]

    def _topic(self, intent: str | None) -> str:
        return self._registry.title(intent) if intent and self._registry.opens(intent) else ""


def _worth_reading(orders: Sequence[Order]) -> list[Order]:
    """The newest order that the risk area held up, and the last one where that is another."""
    stopped = [order for order in orders if order.risk_verdict in STOPS][:1]
    return [*stopped, *(order for order in orders[:1] if order not in stopped)]


def _order(order: Order) -> dict[str, Any]:
    """An order, as it was read back, and what the risk area thinks of it."""
    return {
        "number": order.number,
        "kind": ORDER["kind"].get(order.kind, ""),
        "status": ORDER["status"].get(order.status, order.status),
        "facts": [[label, value] for label, value in order.facts],
        "verdict": VERDICTS.get(order.risk_verdict or "", ""),
        "reasons": list(order.risk_reasons or ()),
        "stopped": order.risk_verdict in STOPS,
    }


def _proposal(conversation: Conversation) -> dict[str, str] | None:
    proposal = conversation.proposal
    if proposal is None:
        return None
    return {key: str(proposal[key]) for key in ("slot", "label", "shown")}


def _waited(service: AgentService | None) -> dict[str, Any]:
    """How long the customer had waited when the agent took them, in seconds."""
    if service is None or service.queued_at is None:
        return {"waited_s": None}
    return {"waited_s": max(0, int((service.began_at - service.queued_at).total_seconds()))}


def _verified(conversation: Conversation) -> str:
    if conversation.verified_at is None or conversation.customer_id is None:
        return NOT_LOGGED_IN
    at = conversation.verified_at.astimezone(BANK_ZONE).strftime("%H:%M")
    return f"{conversation.verified_how} {at}"
