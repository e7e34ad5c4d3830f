"""What the desk may do with a conversation; each act checks the owner in the transaction that writes it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import Who, current, note
from banking_core.bank import Bank
from banking_core.storage import Database
from bot.conversation import helping, log, ownership, services, side_notes
from bot.conversation.case_file import CaseFile
from bot.conversation.errors import ConversationNotFound, NothingHeld, NotOwner
from bot.conversation.events import EventBus
from bot.conversation.hub import Hub
from bot.conversation.looks import Look
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import for_log, without_secrets
from bot.conversation.staffing import Staffing
from bot.conversation.turns import TurnRunner
from bot.conversation.views import ConversationStatus, QueueItem, ServedItem, message_view
from bot.dialogue.reasons import Reason
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.reply import Choice, Reply
from bot.dialogue.state import state_from_json

logger = logging.getLogger(__name__)
VOUCHED = "同事已和您核实过这笔业务。交回小掌柜以后，由您本人确认、输入验证码办理。"
TRANSFERRED = "transferred"
COMPLAINT_JUDGED = (
    Choice("满意", "我对投诉处理结果满意"),
    Choice("不满意，要复核", "我对投诉处理结果不满意"),
)


class Handoff:
    """Queue, claim, answer, help, pass on, take over, hand back, close."""

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
        self._file = CaseFile(bank, registry)

    @property
    def events(self) -> EventBus:
        """Live events, the hub's own."""
        return self._hub.events

    async def queue(self) -> list[QueueItem]:
        """Everybody waiting, longest first."""
        async with self._database.snapshot() as session:
            return await ownership.queue(session, self._bank.clock.now())

    async def served(self) -> list[ServedItem]:
        """Everybody whom an agent has now, by agent."""
        async with self._database.snapshot() as session:
            return await ownership.served(session)

    async def loads(self) -> Mapping[str, int]:
        """How many customers each agent has now who has any."""
        async with self._database.snapshot() as session:
            return await ownership.loads(session)

    async def mine(self, agent_id: str) -> list[str]:
        """The conversations this agent owns, newest first."""
        async with self._database.snapshot() as session:
            rows = await session.scalars(
                select(Conversation.id)
                .where(Conversation.owner == "agent", Conversation.agent_id == agent_id)
                .order_by(Conversation.updated_at.desc())
            )
            return list(rows)

    @asynccontextmanager
    async def look(self, conversation_id: str, *, noted: bool = True) -> AsyncIterator[Look]:
        """One transaction in which nobody else gets the conversation: check there who has it, then read.

        It commits what was written there, a note of the look; with `noted` false it only reads. Raises
        ConversationNotFound.
        """
        async with self._database.transaction() if noted else self._database.snapshot() as session:
            yield Look(session, await log.locked(session, conversation_id), self._file)

    async def status(self, conversation_id: str) -> ConversationStatus:
        """Who owns it now."""
        return await self._hub.status(conversation_id)

    async def claim(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """queue -> this agent. Raises AlreadyClaimed or NotQueued; of two agents exactly one succeeds.

        The desk admits the agent in the same transaction, and raises when they may not: off duty, fully loaded, ...
        """
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            team = conversation.wanted_team or ""
            ownership.claim(conversation, agent_id, agent_name)
            held = self._held(session, agent_id)
            await self._staffing.admit(session, conversation_id, agent_id, held, team=team)
            services.begin(session, conversation, self._bank.clock.now())
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
            await self._staffing.spoke(session, conversation_id, "agent")
            await session.flush()
        await self._hub.publish(conversation_id, [message], False)
        return message_view(message).to_json()

    async def hand_back(self, conversation_id: str, agent_id: str, note: str = "", summary: str = "") -> None:
        """agent -> bot: the assistant says so and goes on with what was under way; a rating is asked for after that.

        `note` is read by the customer, `summary` only by the colleague who takes them next.
        """
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            now = self._bank.clock.now()
            self._keep(session, conversation, "summary", (agent_id, conversation.agent_name or ""), summary)
            await services.end(session, conversation, now, "handed_back")
            ownership.give_to_bot(conversation)
            await self._staffing.ended(session, conversation_id, "handed_back")
            self._audit(session, conversation, "handed_back", agent_id)
            replies = await self._runner.remind(session, conversation, now)
            if note.strip():
                replies.insert(1, Reply(f"同事留言：{for_log(note.strip())[:200]}"))
            messages = [log.append_reply(session, conversation, now, reply) for reply in replies]
            conversation.can_rate = True
            await session.flush()
            asked = await self._runner.ratings.ask_when_over(session, conversation, now, messages[-1])
            messages += [asked] if asked is not None else []
            await session.flush()
        await self._hub.publish(conversation_id, messages, True)

    async def requeue(self, conversation_id: str, agent_id: str, reason: str) -> None:
        """agent -> queue, at the place of the first wait: the agent has vanished. Raises NotOwner."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            now = self._bank.clock.now()
            await services.end(session, conversation, now, "requeued")
            ownership.requeue(conversation, reason, now)
            await self._staffing.requeued(session, conversation_id)
            self._audit(session, conversation, "requeued", agent_id, {"reason": reason, "agent": agent_id})
            message = self._notice(
                session, conversation, "同事暂时离开了，正在为您换一位，前面说过的都还在。"
            )
        await self._hub.publish(conversation_id, [message], True)

    async def pass_on(
        self, conversation_id: str, agent_id: str, colleague: tuple[str, str], note: str = ""
    ) -> None:
        """agent -> the colleague (id, name), who finds the note. Raises NotOwner."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            now = self._bank.clock.now()
            self._keep(session, conversation, "transfer", (agent_id, conversation.agent_name or ""), note)
            await services.end(session, conversation, now, "transferred", passed_to=colleague[0])
            ownership.pass_on(conversation, *colleague)
            await self._staffing.admit(
                session, conversation_id, colleague[0], self._held(session, colleague[0]), by_colleague=True
            )
            services.begin(session, conversation, now, TRANSFERRED).queued_at = now
            self._audit(session, conversation, "transferred", agent_id, {"to": colleague[0]})
            message = self._notice(session, conversation, f"{colleague[1]}为您服务，前面说过的都看得到。")
        await self._hub.publish(conversation_id, [message], True)

    async def pass_to_team(self, conversation_id: str, agent_id: str, team: str, note: str = "") -> None:
        """agent -> queue, for a team, at the place of the first wait. Raises NotOwner; the desk if nobody is there."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            await self._staffing.assert_team_there(session, team, agent_id)
            now = self._bank.clock.now()
            self._keep(session, conversation, "transfer", (agent_id, conversation.agent_name or ""), note)
            await services.end(session, conversation, now, "transferred", passed_to=team)
            ownership.requeue(conversation, TRANSFERRED, now, team)
            await self._staffing.requeued(session, conversation_id)
            self._audit(session, conversation, "transferred", agent_id, {"team": team})
            message = self._notice(session, conversation, f"正在为您转给{team}的同事，前面说过的都还在。")
        await self._hub.publish(conversation_id, [message], True)

    async def take_over(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """queue or another agent -> this one, as one act; one's own stays one's own. Raises NotQueued."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            if conversation.owner == "agent" and conversation.agent_id == agent_id:
                return
            now, before = self._bank.clock.now(), conversation.agent_id
            if conversation.owner == "agent":
                await services.end(session, conversation, now, "taken_over", passed_to=agent_id)
            ownership.take_over(conversation, agent_id, agent_name)
            await self._staffing.taken_over(session, conversation_id, agent_id)
            services.begin(session, conversation, now)
            self._audit(session, conversation, "taken_over", agent_id, {"from": before} if before else None)
            message = self._notice(session, conversation, f"{agent_name}为您服务，前面说过的都看得到。")
        await self._hub.publish(conversation_id, [message], True)

    async def add_note(self, conversation_id: str, agent_id: str, text: str) -> list[dict[str, Any]]:
        """The agent's own note. It is no message: no channel sends it. Gives every note. Raises NotOwner."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            self._keep(session, conversation, "note", (agent_id, conversation.agent_name or ""), text)
            self._audit(session, conversation, "noted", agent_id)
            notes = await self._notes(session, conversation)
        await self._hub.publish(conversation_id, [], False)
        return notes

    async def whisper(self, conversation_id: str, author: tuple[str, str], text: str) -> list[dict[str, Any]]:
        """Somebody (id, name) who watches tells the agent something; gives every note. Raises NotOwner: no agent's."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            if conversation.owner != "agent":
                raise NotOwner(conversation_id)
            self._keep(session, conversation, "whisper", author, text)
            self._audit(session, conversation, "whispered", author[0])
            notes = await self._notes(session, conversation)
        await self._hub.publish(conversation_id, [], False)
        return notes

    async def _notes(self, session: AsyncSession, conversation: Conversation) -> list[dict[str, Any]]:
        await session.flush()
        return await Look(session, conversation, self._file).notes()

    async def propose(
        self, conversation_id: str, agent_id: str, slot: str, text: str, client_id: str
    ) -> dict[str, Any]:
        """Puts a value for what is half done before the customer, once per client id; only they can take it.

        Raises NotOwner or ProposalRefused.
        """
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            key = f"agent:{agent_id}:{client_id}"[:96]
            earlier = await log.find_duplicate(session, conversation_id, key)
            if earlier is not None:
                return message_view(earlier).to_json()
            now = self._bank.clock.now()
            moment = self._runner.turn_of(session, conversation, now, without_secrets(text.strip()))
            proposed = await helping.checked(moment, conversation, self._registry, slot)
            name = conversation.agent_name or "人工客服"
            message = helping.put(session, conversation, now, proposed, name, key)
            await self._staffing.spoke(session, conversation_id, "agent")
            self._audit(session, conversation, "proposed", agent_id, {"slot": slot})
            await session.flush()
        await self._hub.publish(conversation_id, [message], False)
        return message_view(message).to_json()

    async def vouch(self, conversation_id: str, agent_id: str, grounds: str) -> None:
        """The agent has made sure that the customer wants the order that was held; the customer alone confirms it.

        Raises NotOwner, NothingHeld, and what desk and bank refuse: an agent who is not certified, an order that is
        over or has expired.
        """
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            await self._staffing.assert_certified(session, agent_id)
            frame = state_from_json(conversation.state).top
            customer_id = conversation.customer_id
            if frame is None or frame.phase != "held" or not frame.order_id or not customer_id:
                raise NothingHeld()
            by, checked = f"agent:{agent_id}", for_log(grounds)
            order = await self._bank.orders.vouch(
                session, frame.order_id, customer_id, by=by, grounds=checked
            )
            await self._bank.voiceprints.trust_again(session, customer_id, by=by, grounds=checked)
            self._audit(session, conversation, "vouched", agent_id, {"order": order.number})
            author = (agent_id, conversation.agent_name or "")
            self._keep(session, conversation, "note", author, f"已核实本人，可由客户确认办理：{checked}")
            message = self._notice(session, conversation, VOUCHED)
        await self._hub.publish(conversation_id, [message], False)

    async def close(self, conversation_id: str, agent_id: str, wrap_up: str = "") -> None:
        """agent -> closed, with what it was about (a code); the customer is asked for a rating."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            ownership.assert_agent(conversation, agent_id)
            now = self._bank.clock.now()
            await services.end(session, conversation, now, "closed", wrap_up=wrap_up or None)
            ownership.close(conversation, now)
            await self._staffing.ended(session, conversation_id, "closed")
            self._audit(session, conversation, "closed", agent_id, {"wrap_up": wrap_up} if wrap_up else None)
            message = await self._runner.ratings.closed(session, conversation, now)
        await self._hub.publish(conversation_id, [message], True)

    async def sweep_unattended(self) -> int:
        """Nobody waits in vain: whom nobody on duty may serve is told, and offered a ticket. Returns how many."""
        told: list[tuple[str, Message]] = []
        async with self._database.transaction() as session:
            rows = await session.scalars(
                select(Conversation).where(Conversation.owner == "queue").with_for_update()
            )
            for conversation in rows.all():
                if await self._staffing.can_serve(session, conversation.id):
                    continue
                told.append((conversation.id, await self._give_up(session, conversation)))
        for conversation_id, message in told:
            await self._hub.publish(conversation_id, [message], True)
        return len(told)

    async def tell_answers(self) -> int:
        """Every answer to a complaint reaches the conversation it came from, once. Returns how many were told now."""
        async with self._database.snapshot() as session:
            answered = [
                (row.number, row.round, row.conversation_id, row.answer or "")
                for row in await self._bank.complaints.untold(session)
            ]
        for number, round_, conversation_id, answer in answered:
            is_told = await self._tell_answer(number, round_, conversation_id, answer)
            async with self._database.transaction() as session:
                if is_told:
                    await self._bank.complaints.told(session, number, round_)
                else:
                    await self._bank.complaints.telling_failed(session, number, round_)
        return len(answered)

    async def _tell_answer(self, number: str, round_: int, conversation_id: str, answer: str) -> bool:
        """False when it must be tried again."""
        reply = Reply(f"您的投诉{number}有答复了：{for_log(answer)}", choices=COMPLAINT_JUDGED)
        try:
            await self._hub.announce(conversation_id, reply, f"complaint:{number}:{round_}")
        except ConversationNotFound:
            logger.warning("nobody left to tell complaint=%s", number)  # the notice has told them
        except Exception:
            logger.exception("telling the answer to complaint %s failed", number)
            return False
        return True

    async def _give_up(self, session: AsyncSession, conversation: Conversation) -> Message:
        now = self._bank.clock.now()
        reason = conversation.handoff_reason or Reason.ASKED
        ownership.give_to_bot(conversation)
        await self._staffing.ended(session, conversation.id, "unattended")
        state = state_from_json(conversation.state)
        reply = await self._runner.nobody_there(session, conversation, state, reason, now)
        conversation.state = state.to_json()
        return log.append_reply(session, conversation, now, reply)

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

    @staticmethod
    def _held(session: AsyncSession, agent_id: str) -> Callable[[], Awaitable[int]]:
        return lambda: ownership.held_count(session, agent_id)

    def _keep(
        self, session: AsyncSession, conversation: Conversation, kind: str, author: tuple[str, str], text: str
    ) -> None:
        if text.strip():
            side_notes.add(session, conversation, self._bank.clock.now(), kind, author, text)

    def _notice(self, session: Any, conversation: Conversation, text: str) -> Message:
        return log.append(
            session,
            conversation,
            self._bank.clock.now(),
            sender="system",
            sender_name=log.SYSTEM_NAME,
            text=text,
        )
