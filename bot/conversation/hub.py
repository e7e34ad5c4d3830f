"""The hub: takes every message, decides who answers, and writes a turn in one transaction."""

from __future__ import annotations

import asyncio
import logging
import weakref
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import Who, acting, current
from banking_core.audit.acting import BANK
from banking_core.bank import Bank
from banking_core.identity.origin import Origin, mask_address
from banking_core.money_text import mask_name
from banking_core.storage import Database
from banking_core.storage.timing import database_time
from banking_core.voiceprints import SpokenPassword
from bot.conversation import log, ownership
from bot.conversation.challenges import secret_in, wants_resend
from bot.conversation.errors import ConversationError, MessageTooLong
from bot.conversation.events import EventBus
from bot.conversation.live_calls import LiveCalls
from bot.conversation.metrics import TurnMetrics
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import ANY, BLOT, for_log, looks_like_code
from bot.conversation.settlement import Settlement
from bot.conversation.turns import BotTurn, TurnRunner
from bot.conversation.views import (
    TEXT_LENGTH_MAX,
    ConversationStatus,
    Inbound,
    Received,
    Standing,
    expects_of,
    message_view,
    standing_of,
)
from bot.conversation.voices import VOICE, wants_other_way
from bot.dialogue.by_form import heard_by_form
from bot.dialogue.errors import UnderstandingUnavailable
from bot.dialogue.reply import Reply, choices
from bot.dialogue.state import state_from_json
from bot.dialogue.understanding import SERVICE_DOWN, Understander, Understanding
from bot.dialogue.wishes import split_wishes

logger = logging.getLogger(__name__)
TRIES_MAX = 8  # the owner may change that often while a message is being understood
HUNG_UP = "客户已挂断电话。"
STARTED_AFRESH = "刚才没办完的先放下了，需要的话请从头说一次。"


@dataclass(frozen=True, slots=True)
class _Peek:
    """What a look without locks said; the turn checks that it still holds."""

    owner: str
    challenge: dict[str, Any] | None


class _Changed(Exception):
    """The conversation changed between the look and the lock: look again."""


class Hub:
    """Everything a channel or the desk may ask of a conversation."""

    def __init__(
        self,
        *,
        database: Database,
        bank: Bank,
        runner: TurnRunner,
        understander: Understander,
        settlement: Settlement,
        events: EventBus,
        metrics: TurnMetrics,
    ) -> None:
        self.events = events
        self._database = database
        self._bank = bank
        self._clock = bank.clock
        self._runner = runner
        self._understander = understander
        self._settlement = settlement
        self._metrics = metrics
        self.live_calls = LiveCalls(database, bank.clock)
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def open(self, channel: str, *, customer_id: str | None = None, on_call: bool = False) -> str:
        """Begins a conversation; returns its id. `on_call`: it is a call that ends with this process."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            conversation = Conversation(
                channel=channel,
                customer_id=customer_id,
                owner="bot",
                next_seq=1,
                can_rate=False,
                created_at=now,
                updated_at=now,
            )
            session.add(conversation)
            await session.flush()
            if on_call:
                self.live_calls.begun(session, conversation.id)
            return conversation.id

    async def receive(self, inbound: Inbound) -> Received:
        """One message, handled at most once per channel message id. Raises ConversationNotFound, MessageTooLong."""
        if len(inbound.text) > TEXT_LENGTH_MAX:
            raise MessageTooLong(inbound.conversation_id)
        lock = self._locks.setdefault(inbound.conversation_id, asyncio.Lock())
        with acting(BANK):
            return await self._receive_in_turn(inbound, lock)

    async def _receive_in_turn(self, inbound: Inbound, lock: asyncio.Lock) -> Received:
        async with lock:
            for _ in range(TRIES_MAX):
                try:
                    return await self._receive(inbound)
                except (_Changed, IntegrityError):
                    continue
                except ConversationError:
                    raise
                except Exception:
                    return await self._apologise(inbound)
            return await self._apologise(inbound)

    async def _receive(self, inbound: Inbound) -> Received:
        async with self._database.snapshot() as session:
            duplicate = await self._duplicate(session, inbound)
            if duplicate is not None:
                return duplicate
            peek = await self._peek(session, inbound.conversation_id)
        started_s = perf_counter()
        heard = await self._understand(peek, inbound)
        parsed_s = perf_counter()
        with database_time() as spent_s:
            async with self._database.transaction() as session:
                turn, standing = await self._write(session, inbound, peek, heard)
        parse_ms, turn_ms = (parsed_s - started_s) * 1000, (perf_counter() - parsed_s) * 1000
        bank_ms = min(sum(spent_s) * 1000, turn_ms)
        timings = {"parse": parse_ms, "dialogue": turn_ms - bank_ms, "bank": bank_ms}
        self._metrics.observe(timings, turn.outcome.action)
        await self.publish(inbound.conversation_id, [turn.inbound, *turn.replies], turn.owner_changed)
        for order_id in turn.settle:
            self._settlement.later(order_id, self.announce)
        return Received(
            duplicate=False,
            seq=turn.inbound.seq,
            replies=[message_view(message) for message in turn.replies],
            intent=heard.intent if heard else "",
            confidence=heard.confidence if heard else 0.0,
            action=turn.outcome.action,
            standing=standing,
            timings_ms=timings,
        )

    async def _duplicate(self, session: AsyncSession, inbound: Inbound) -> Received | None:
        earlier = await log.find_duplicate(session, inbound.conversation_id, inbound.channel_message_id)
        if earlier is None:
            return None
        replies = await log.replies_to(session, inbound.conversation_id, earlier.seq)
        conversation = await log.locked(session, inbound.conversation_id)
        return Received(
            duplicate=True,
            seq=earlier.seq,
            replies=[message_view(reply) for reply in replies],
            standing=standing_of(conversation),
        )

    async def _peek(self, session: AsyncSession, conversation_id: str) -> _Peek:
        conversation = await log.locked(session, conversation_id)
        return _Peek(conversation.owner, conversation.challenge)

    async def _understand(self, peek: _Peek, inbound: Inbound) -> Understanding | None:
        """None when the message is not for the NLU service: a secret, or not the assistant's turn to speak."""
        if peek.owner not in ("bot", "closed") or inbound.secret:
            return None
        challenge = peek.challenge
        if challenge is not None and challenge["kind"] == VOICE and wants_other_way(inbound.text):
            return None
        if challenge is not None and (
            secret_in(challenge, inbound.text, False) is not None or wants_resend(inbound.text)
        ):
            return None
        if looks_like_code(inbound.text):
            return None
        if (wanted := heard_by_form(inbound.text)) is not None:
            return wanted
        text = for_log(inbound.text, awaited=challenge["kind"] if challenge else "")
        try:
            heard = await self._understander.understand(text)
            pieces = [await self._understander.understand(piece) for piece in split_wishes(text)]
            return replace(heard, parts=tuple(pieces))
        except UnderstandingUnavailable as error:
            logger.warning(
                "understanding failed code=%s conversation=%s", error.code, inbound.conversation_id
            )
            return SERVICE_DOWN

    async def _write(
        self, session: AsyncSession, inbound: Inbound, peek: _Peek, heard: Understanding | None
    ) -> tuple[BotTurn, Standing]:
        conversation = await log.locked(session, inbound.conversation_id)
        if (conversation.owner, conversation.challenge) != (peek.owner, peek.challenge):
            raise _Changed
        now = self._clock.now()
        if conversation.owner == "agent":
            with acting(_who(conversation, inbound.origin)):
                turn = await self._runner.while_with_agent(session, conversation, inbound, now)
        elif conversation.owner == "queue":
            turn = await self._runner.while_queued(session, conversation, inbound, now)
        else:
            reopened = conversation.owner == "closed"
            if reopened:
                ownership.give_to_bot(conversation)
                conversation.state, conversation.challenge = None, None
            with acting(_who(conversation, inbound.origin)):
                turn = await self._runner.run(session, conversation, inbound, heard, now)
            turn.owner_changed = turn.owner_changed or reopened
        await session.flush()
        return turn, standing_of(conversation)

    async def _apologise(self, inbound: Inbound) -> Received:
        """The turn failed and left no trace: the message is kept, the customer is told, the log gets the cause."""
        correlation_id = current().correlation_id
        logger.exception(
            "turn failed correlation_id=%s conversation=%s", correlation_id, inbound.conversation_id
        )
        self._metrics.failures.labels("turn_failed").inc()
        text = (
            "系统刚才出了点问题，这一步没有办成，也没有动您的钱。"
            f"请再试一次，或者说“转人工”（编号{correlation_id}）。"
        )
        async with self._database.transaction() as session:
            duplicate = await self._duplicate(session, inbound)
            if duplicate is not None:
                return duplicate
            conversation = await log.locked(session, inbound.conversation_id)
            now = self._clock.now()
            safe = BLOT if inbound.secret or conversation.challenge else for_log(inbound.text, awaited=ANY)
            if conversation.owner == "bot" and await log.last_turn_failed(session, conversation.id):
                conversation.state, conversation.challenge = None, None  # whatever it trips over is let go
                text += STARTED_AFRESH
            message = log.append(
                session,
                conversation,
                now,
                sender="customer",
                sender_name="我",
                text=safe,
                channel_message_id=inbound.channel_message_id,
                action=log.FAILED,
            )
            replies = []
            if conversation.owner == "bot":
                reply = Reply(text, choices=choices("转人工"))
                replies = [log.append_reply(session, conversation, now, reply, in_reply_to=message.seq)]
            standing = standing_of(conversation)
        await self.publish(inbound.conversation_id, [message, *replies], False)
        shown = [message_view(reply) for reply in replies]
        return Received(False, message.seq, shown, action=log.FAILED, standing=standing)

    async def history(
        self, conversation_id: str, after_seq: int = 0, limit: int = 200
    ) -> list[dict[str, Any]]:
        """Messages after `after_seq`, ascending; with 0 the newest `limit` ones."""
        async with self._database.snapshot() as session:
            return [
                message_view(m).to_json()
                for m in await log.history(session, conversation_id, after_seq, limit)
            ]

    async def status(self, conversation_id: str) -> ConversationStatus:
        """Who owns the conversation and what it expects. Raises ConversationNotFound."""
        async with self._database.snapshot() as session:
            conversation = await log.locked(session, conversation_id)
            name = None
            if conversation.customer_id is not None:
                customer = await self._bank.customers.get(session, conversation.customer_id)
                name = mask_name(customer.name)
            expects, until = expects_of(conversation)
            return ConversationStatus(
                id=conversation.id,
                owner=conversation.owner,
                agent_name=conversation.agent_name,
                queue_position=await ownership.position(session, conversation),
                customer_id=conversation.customer_id,
                customer_name_masked=name,
                expects=expects,
                expects_until=until,
                can_rate=await self._may_rate(session, conversation),
                under_way=standing_of(conversation).under_way,
            )

    async def spoken_password(self, conversation_id: str, *, former: bool = False) -> SpokenPassword | None:
        """The digits the customer is to say now, for the line's voice and ears only; None when none are waited for.

        With `former` what a recording of them is compared with. Raises ConversationNotFound.
        """
        async with self._database.snapshot() as session:
            conversation = await log.locked(session, conversation_id)
            challenge = conversation.challenge
            if conversation.owner != "bot" or not challenge or challenge["kind"] != VOICE:
                return None
            return await self._bank.voiceprints.password(session, challenge["prompt_id"], former=former)

    async def voice_gone(self, conversation_id: str) -> None:
        """The customer is still there, but cannot be heard any more: what waits for their voice is given up."""
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            if conversation.challenge and conversation.challenge["kind"] == VOICE:
                await self._runner.voice_gone(session, conversation, self._clock.now())

    async def attach_customer(self, conversation_id: str, customer_id: str, how: str) -> str:
        """A log-in outside the chat. Returns the conversation to go on with: another one if it was someone else's."""
        messages: list[Message] = []
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            stranger = conversation.customer_id not in (None, customer_id)
            if not stranger:
                now = self._clock.now()
                conversation.customer_id = customer_id
                conversation.verified_how, conversation.verified_at = how, now
                if conversation.owner == "bot":
                    messages = await self._runner.after_login(session, conversation, now)
        if stranger:
            return await self.open(conversation.channel, customer_id=customer_id)
        await self.publish(conversation_id, messages, True)
        return conversation_id

    async def rate(self, conversation_id: str, score: int, comment: str) -> bool:
        """Keeps the customer's rating (1 to 5) once; False when there is nothing to rate."""
        if not 1 <= score <= 5:
            return False
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            now, words = self._clock.now(), for_log(comment)[:500]
            if not await self._runner.ratings.rate(session, conversation, now, score, words):
                return False
        await self.publish(conversation_id, [], True)
        return True

    async def _may_rate(self, session: AsyncSession, conversation: Conversation) -> bool:
        return await self._runner.ratings.rateable(session, conversation, self._clock.now()) is not None

    async def announce(self, conversation_id: str, reply: Reply, once_key: str, *, answers: str = "") -> None:
        """Says something of the assistant's own accord, at most once per key; with a human in charge it is a notice.

        `answers` names a skill that is over with it if it still asks: what it asked for came by another way.
        """
        async with self._database.transaction() as session:
            if await log.find_duplicate(session, conversation_id, once_key) is not None:
                return
            conversation = await log.locked(session, conversation_id)
            message = log.append_reply(
                session, conversation, self._clock.now(), reply, channel_message_id=once_key
            )
            if conversation.owner in ("agent", "queue"):
                message.sender, message.sender_name = "system", log.SYSTEM_NAME
            state = state_from_json(conversation.state)
            state.last_replies = [reply.to_json()]
            state.interrupted()
            state.answered(answers)
            conversation.state = state.to_json()
        await self.publish(conversation_id, [message], False)

    async def note_arrival(self, conversation_id: str, text: str, once_key: str) -> None:
        """Something came that is no words, a picture: it stands in the log for a human, and nobody answers it."""
        async with self._database.transaction() as session:
            if await log.find_duplicate(session, conversation_id, once_key) is not None:
                return
            conversation = await log.locked(session, conversation_id)
            message = log.append(
                session,
                conversation,
                self._clock.now(),
                sender="customer",
                sender_name="我",
                text=text,
                channel_message_id=once_key,
            )
        await self.publish(conversation_id, [message], False)

    async def hung_up(self, conversation_id: str) -> None:
        """The customer has left for good. Orders that still wanted something of them are withdrawn, agents told."""
        await self._hang_up(conversation_id, lost=False)

    async def hang_up_lost(self) -> int:
        """Calls whose process died are over; returns how many there were. Safe to run at any time, anywhere."""
        lost = await self.live_calls.lost()
        for conversation_id in lost:
            logger.warning("the call of conversation %s died with its process", conversation_id)
            await self._hang_up(conversation_id, lost=True)
        return len(lost)

    async def _hang_up(self, conversation_id: str, *, lost: bool) -> None:
        async with self._database.transaction() as session:
            conversation = await log.locked(session, conversation_id)
            if lost and not await self.live_calls.taken_out(session, conversation_id):
                return
            await self.live_calls.ended(session, conversation_id)
            if conversation.owner == "closed":
                return
            now = self._clock.now()
            await self._runner.hung_up(session, conversation, now)
            message = log.append(
                session, conversation, now, sender="system", sender_name=log.SYSTEM_NAME, text=HUNG_UP
            )
            conversation.challenge = None
            if conversation.owner != "agent":
                if conversation.owner == "queue":
                    await self._runner.staffing.ended(session, conversation_id, "hung_up")
                ownership.close(conversation, now)
                conversation.state, conversation.can_rate = None, False
        await self.publish(conversation_id, [message], True)

    def typing(self, conversation_id: str, who: str) -> None:
        """Shows the other side that somebody is writing."""
        self.events.publish(conversation_id, {"type": "typing", "who": who})

    async def publish(self, conversation_id: str, messages: list[Message], owner_changed: bool) -> None:
        """Tells open pages about new messages and the state; call it after the commit."""
        for message in messages:
            self.events.publish(
                conversation_id, {"type": "message", "message": message_view(message).to_json()}
            )
        self.events.publish(conversation_id, {"type": "state"})
        if owner_changed:
            self.events.publish_queue()

    async def settled(self) -> None:
        """Waits until every settlement begun so far has come to its end."""
        await self._settlement.drain()


def _who(conversation: Conversation, origin: Origin) -> Who:
    """The customer of the conversation, once it is known who that is."""
    who = replace(current(), channel=conversation.channel, address=mask_address(origin.address))
    if conversation.customer_id is None:
        return who
    return replace(who, kind="customer", id=conversation.customer_id, device=origin.device_name)
