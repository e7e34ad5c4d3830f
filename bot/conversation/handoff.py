"""What the desk may do with a conversation; each act checks the owner in the transaction that writes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import Who, current, note
from banking_core.bank import Bank
from banking_core.clock import BANK_ZONE
from banking_core.money_text import mask_name, mask_phone
from banking_core.storage import Database
from bot.conversation import log, ownership
from bot.conversation.events import EventBus
from bot.conversation.hub import Hub
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import for_log
from bot.conversation.turns import NOBODY_ON_DUTY, TurnRunner
from bot.conversation.views import ConversationStatus, QueueItem, Staffing, message_view
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.reply import Reply, choices
from bot.dialogue.state import Pending, state_from_json

TOPIC_MESSAGES_MAX = 20
STOPS = ("delay", "human", "block")
STOPPED_LOOK_MAX = 5
STOPPED_FACTS = ("收款人", "收款账户", "金额", "充值号码")
TOPICS_MAX = 5


class Handoff:
    """Queue, claim, answer, hand back, close."""

    def __init__(
        self,
        *,
        hub: Hub,
        database: Database,
        bank: Bank,
        runner: TurnRunner,
        registry: SkillRegistry,
        staffing: Staffing,
    ) -> None:
        self._hub = hub
        self._database = database
        self._bank = bank
        self._runner = runner
        self._registry = registry
        self._staffing = staffing

    @property
    def events(self) -> EventBus:
        """Live events, the hub's own."""
        return self._hub.events

    async def queue(self) -> list[QueueItem]:
        """Everybody waiting, longest first."""
        async with self._database.snapshot() as session:
            return await ownership.queue(session, self._bank.clock.now())

    async def mine(self, agent_id: str) -> list[str]:
        """The conversations this agent owns, newest first."""
        async with self._database.snapshot() as session:
            rows = await session.scalars(
                select(Conversation.id)
                .where(Conversation.owner == "agent", Conversation.agent_id == agent_id)
                .order_by(Conversation.updated_at.desc())
            )
            return list(rows)

    async def history(
        self, conversation_id: str, after_seq: int = 0, limit: int = 200
    ) -> list[dict[str, Any]]:
        """The transcript, secrets already blotted out when they were logged."""
        return await self._hub.history(conversation_id, after_seq, limit)

    async def status(self, conversation_id: str) -> ConversationStatus:
        """Who owns it now."""
        return await self._hub.status(conversation_id)

    async def claim(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """queue -> this agent. Raises AlreadyClaimed or NotQueued; of two agents exactly one succeeds."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.claim(conversation, agent_id, agent_name)
            self._audit(session, conversation, "claimed", agent_id)
            message = self._notice(session, conversation, f"{agent_name}为您服务。")
        await self._hub.publish(conversation_id, [message], True)

    async def agent_say(
        self, conversation_id: str, agent_id: str, text: str, client_id: str
    ) -> dict[str, Any]:
        """The agent's words, once per client id. Raises NotOwner when the conversation is no longer theirs."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            key = f"agent:{agent_id}:{client_id}"[:96]
            earlier = await log.find_duplicate(session, conversation_id, key)
            if earlier is not None:
                return message_view(earlier).to_json()
            message = log.append(
                session,
                conversation,
                self._bank.clock.now(),
                sender="agent",
                sender_name=conversation.agent_name or "人工客服",
                text=for_log(text),
                channel_message_id=key,
            )
            await session.flush()
        await self._hub.publish(conversation_id, [message], False)
        return message_view(message).to_json()

    async def hand_back(self, conversation_id: str, agent_id: str, note: str = "") -> None:
        """agent -> bot: the assistant says so and goes on with what was under way."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            ownership.give_to_bot(conversation)
            self._audit(session, conversation, "handed_back", agent_id)
            now = self._bank.clock.now()
            replies = await self._runner.remind(session, conversation, now)
            if note.strip():
                replies.insert(1, Reply(f"同事留言：{for_log(note.strip())[:200]}"))
            messages = [log.append_reply(session, conversation, now, reply) for reply in replies]
            await session.flush()
        await self._hub.publish(conversation_id, messages, True)

    async def requeue(self, conversation_id: str, agent_id: str, reason: str) -> None:
        """agent -> queue, at the place of the first wait: the agent has vanished. Raises NotOwner."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            ownership.requeue(conversation, reason, self._bank.clock.now())
            self._audit(session, conversation, "requeued", agent_id, {"reason": reason, "agent": agent_id})
            message = self._notice(
                session, conversation, "同事暂时离开了，正在为您换一位，前面说过的都还在。"
            )
        await self._hub.publish(conversation_id, [message], True)

    async def close(self, conversation_id: str, agent_id: str) -> None:
        """agent -> closed; the customer is asked for a rating."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            ownership.close(conversation, self._bank.clock.now())
            self._audit(session, conversation, "closed", agent_id)
            message = self._notice(
                session, conversation, "本次人工服务已结束，请给同事打个分。再发消息就由小掌柜接待您。"
            )
        await self._hub.publish(conversation_id, [message], True)

    async def sweep_unattended(self) -> int:
        """When the last agent has left, nobody waits in vain: told at once and offered a ticket. Returns how many."""
        async with self._database.transaction() as session:
            waiting = await session.scalar(
                select(Conversation.id).where(Conversation.owner == "queue").limit(1)
            )
            if waiting is None or await self._staffing.on_duty_count(session) > 0:
                return 0
            rows = await session.scalars(
                select(Conversation).where(Conversation.owner == "queue").with_for_update()
            )
            told: list[tuple[str, Message]] = []
            for conversation in rows:
                ownership.give_to_bot(conversation)
                state = state_from_json(conversation.state)
                state.pending = Pending("ticket")
                conversation.state = state.to_json()
                reply = Reply(NOBODY_ON_DUTY, choices=choices("留工单", "不用了"))
                told.append(
                    (conversation.id, log.append_reply(session, conversation, self._bank.clock.now(), reply))
                )
        for conversation_id, message in told:
            await self._hub.publish(conversation_id, [message], True)
        return len(told)

    async def facts(self, conversation_id: str) -> dict[str, Any]:
        """What an agent needs so as not to ask again. Personal data is masked."""
        async with self._database.snapshot() as session:
            conversation = await log.locked(session, conversation_id)
            facts: dict[str, Any] = {
                "channel": conversation.channel,
                "reason": conversation.handoff_reason,
                "verified": "未登录",
                "who": None,
                "skill": None,
                "slots": [],
                "order_number": None,
            }
            if conversation.customer_id is not None:
                customer = await self._bank.customers.get(session, conversation.customer_id)
                facts["who"] = {
                    "name": mask_name(customer.name),
                    "phone": mask_phone(customer.phone),
                    "level": customer.level,
                }
                facts["verified"] = _verified(conversation)
            frame = state_from_json(conversation.state).top
            if frame is not None and frame.skill in self._registry:
                skill = self._registry.get(frame.skill)
                facts["skill"] = skill.title
                facts["slots"] = [
                    [s.label, frame.shown[s.name]] for s in skill.slots if s.name in frame.shown
                ]
                if frame.order_id and conversation.customer_id:
                    order = await self._bank.orders.get(session, frame.order_id, conversation.customer_id)
                    facts["order_number"] = order.number
            facts["topics"] = await self._topics(session, conversation_id)
            facts["stopped"] = await self._stopped(session, conversation)
            return facts

    async def _stopped(self, session: Any, conversation: Conversation) -> list[list[str]]:
        """The newest order of this conversation that the risk area held up, and why, in an operator's words."""
        if conversation.customer_id is None:
            return []
        for order in await self._bank.orders.latest(
            session, conversation.customer_id, limit=STOPPED_LOOK_MAX
        ):
            if order.conversation_id == conversation.id and order.risk_verdict in STOPS:
                shown = [[label, value] for label, value in order.facts if label in STOPPED_FACTS]
                reasons = "；".join(order.risk_reasons or ())
                return [*shown, ["业务编号", order.number], ["为什么", reasons]]
        return []

    async def _topics(self, session: Any, conversation_id: str) -> list[str]:
        """The titles of what was talked about, newest first, each once."""
        rows = await session.scalars(
            select(Message.intent)
            .where(Message.conversation_id == conversation_id, Message.intent.is_not(None))
            .order_by(Message.seq.desc())
            .limit(TOPIC_MESSAGES_MAX)
        )
        intents = dict.fromkeys(intent for intent in rows if self._registry.opens(intent))
        return [self._registry.title(intent) for intent in intents][:TOPICS_MAX]

    def typing(self, conversation_id: str, who: str) -> None:
        """Shows the customer that the agent is writing."""
        self._hub.typing(conversation_id, who)

    def _audit(
        self,
        session: AsyncSession,
        conversation: Conversation,
        what: str,
        agent_id: str,
        after: dict[str, str] | None = None,
    ) -> None:
        """Notes what an agent did with a conversation, or what was done because the agent was gone."""
        now = current()
        note(
            session,
            f"conversation.{what}",
            at=self._bank.clock.now(),
            customer_id=conversation.customer_id,
            object_kind="conversation",
            object_id=conversation.id,
            after=after,
            by=Who("agent", agent_id, channel="desk") if now.is_bank and what != "requeued" else now,
        )

    def _notice(self, session: Any, conversation: Conversation, text: str) -> Message:
        return log.append(
            session,
            conversation,
            self._bank.clock.now(),
            sender="system",
            sender_name=log.SYSTEM_NAME,
            text=text,
        )


def _verified(conversation: Conversation) -> str:
    if conversation.verified_at is None:
        return "未登录"
    at = conversation.verified_at.astimezone(BANK_ZONE).strftime("%H:%M")
    return f"{conversation.verified_how} {at}"
