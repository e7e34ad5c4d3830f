"""What the assistant does with one message, inside the hub's transaction."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.days import moment_words
from banking_core.identity import NOWHERE, Origin
from banking_core.risk.phrases import packaged_phrases
from bot.conversation import helping, log, ownership
from bot.conversation.challenges import (
    KNOWN_BY_HEART,
    LOCKED_CHOICES,
    PASSWORD_ELSEWHERE,
    Challenges,
    secret_in,
    wants_resend,
)
from bot.conversation.circumstances import PROOF_FAILED, circumstances, talk_so_far
from bot.conversation.models import Conversation, Message
from bot.conversation.ratings import Ratings
from bot.conversation.redaction import ANY, BLOT, for_log, looks_like_code, without_secrets
from bot.conversation.staffing import Asking, Staffing
from bot.conversation.verdicts import Verdict
from bot.conversation.views import Inbound
from bot.conversation.voices import VOICE, wants_other_way
from bot.dialogue.by_ear import ByEar
from bot.dialogue.commands import Command, recognise
from bot.dialogue.engine import DialogueEngine
from bot.dialogue.outcome import Outcome
from bot.dialogue.reasons import Reason
from bot.dialogue.reply import Reply, choices
from bot.dialogue.skill import SECRETS_ELSEWHERE, Accepted, AskSecret, Effect, HandOver, SettleLater, Turn
from bot.dialogue.state import DialogueState, Pending, state_from_json
from bot.dialogue.understanding import NOTHING_HEARD, Understanding

NO_SECRET_WANTED = "现在不需要输入密码或验证码，我已经把它遮住了。您想办什么，直接告诉我就行。"
NOT_IN_THIS_CHAT = "密码和验证码请不要发在聊天里，我已经遮住了，也没有使用。请在安全页面输入。"
BACK_FROM_QUEUE = "好的，不排队了。我继续帮您，想办什么直接说。"
NOBODY_ON_DUTY = "{why}要不要给您留一张工单？同事会给您回电话。（服务时间：{hours}）"
CALL_OWED = "{why}我已经替您登记了紧急回电，同事会在{until}前打您尾号{tail}的手机，工单编号{number}。"
NOBODY_NOW = "能接待您的同事们现在都不在线。"
NOBODY_UNTIL = "同事们现在都不在线，{at}上班。"
SAFETY_ANSWER = "answer:safety."  # knowledge has warned the customer already
UNCLEAR = ("fallback", "not_known", "ask_back", "suggest")
LOOK_TOGETHER = "拿不准的话，说“转人工”，同事和您一起看；想先保住钱，说“锁住账户”。"
HANDED_BACK = "同事已经把您交回给我了，我继续帮您。"


@dataclass(slots=True)
class BotTurn:
    """Messages written by one turn, and the orders to settle once it is committed."""

    inbound: Message
    origin: Origin
    replies: list[Message] = field(default_factory=list)
    settle: list[str] = field(default_factory=list)
    owner_changed: bool = False
    outcome: Outcome = field(default_factory=Outcome)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a customer said to the assistant, and all that a handler of it needs."""

    session: AsyncSession
    conversation: Conversation
    inbound: Inbound
    heard: Understanding | None
    state: DialogueState
    now: datetime

    @property
    def text(self) -> str:
        return self.inbound.text

    @property
    def challenge(self) -> dict[str, Any]:
        """What the customer was asked to prove; empty when nothing."""
        return self.conversation.challenge or {}


# Keyed where digits are to be said: the end of an identity number, or a code with a digit too few, and no sentence.
_KEYED: Final = re.compile(r"\s*[0-9]{4,8}[Xx*]?\s*")
_Way = Literal["voice", "other_way", "resend", "not_here", "secret", "late_secret", "words"]


def _way(said: _Said) -> _Way:
    """Whom it is for: the first that fits."""
    challenge, inbound = said.challenge, said.inbound
    spoken = challenge.get("kind") == VOICE
    if spoken and inbound.voice is not None:
        return "voice"
    if spoken and wants_other_way(said.text):
        return "other_way"
    if challenge and not inbound.secret and challenge["purpose"] and wants_resend(said.text):
        return "resend"
    if challenge and secret_in(challenge, said.text, inbound.secret) is not None:
        elsewhere = said.conversation.channel in SECRETS_ELSEWHERE and not inbound.secret
        return "not_here" if elsewhere else "secret"
    if inbound.secret or (looks_like_code(said.text) and not _wants_number(said.state)):
        return "late_secret"
    if spoken and _KEYED.fullmatch(said.text):
        return "late_secret"
    return "words"


class TurnRunner:
    """Applies challenges, the dialogue engine and its effects to one locked conversation."""

    def __init__(
        self, engine: DialogueEngine, bank: Bank, challenges: Challenges, staffing: Staffing, services: Any
    ) -> None:
        self._engine = engine
        self._bank = bank
        self._challenges = challenges
        self.staffing = staffing
        self._services = services
        self.ratings = Ratings(bank.rules.service.rating_hours)
        self._phrases = packaged_phrases()
        self._handlers: Mapping[_Way, Callable[[_Said], Awaitable[BotTurn]]] = {
            "voice": self._voice,
            "other_way": self._other_way,
            "resend": self._resend,
            "not_here": self._not_here,
            "secret": self._secret,
            "late_secret": self._late_secret,
            "words": self._words,
        }

    def turn_of(
        self,
        session: AsyncSession,
        conversation: Conversation,
        now: datetime,
        text: str = "",
        heard: Understanding | None = None,
        origin: Origin = NOWHERE,
        by_ear: ByEar | None = None,
    ) -> Turn:
        """The engine's view of this moment."""

        async def known() -> dict[str, Any]:
            found = await circumstances(session, conversation, origin, self._phrases, now)
            if conversation.customer_id is not None and origin.device:
                devices = self._bank.identity.devices
                device = await devices.known(session, conversation.customer_id, origin)
                found["device_bound"] = device is not None
            return found

        return Turn(
            text=text,
            now=now,
            conversation_id=conversation.id,
            channel=conversation.channel,
            customer_id=conversation.customer_id,
            session=session,
            services=self._services,
            heard=heard or NOTHING_HEARD,
            circumstances=known,
            caller=origin.caller,
            login=conversation.verified_how or "",
            on_call=origin.on_call,
            by_ear=by_ear,
        )

    async def run(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: Inbound,
        heard: Understanding | None,
        now: datetime,
    ) -> BotTurn:
        """The whole turn of a conversation owned by the assistant."""
        said = _Said(session, conversation, inbound, heard, state_from_json(conversation.state), now)
        return await self._handlers[_way(said)](said)

    async def _words(self, said: _Said) -> BotTurn:
        """A sentence for the engine."""
        awaited = said.challenge.get("kind", "")
        turn = self._noted(said, for_log(said.text, awaited=awaited))
        spoken = without_secrets(said.text, awaited=awaited)
        by_ear = _by_ear(said.inbound.by_ear, awaited)
        moment = self.turn_of(
            said.session, said.conversation, said.now, spoken, said.heard, said.inbound.origin, by_ear
        )
        story = self._phrases.hear(spoken)
        if story.categories:
            await self._engine.reconsider(moment, said.state)
        outcome = await self._engine.turn(moment, said.state)
        if story.categories:
            _warn(self._phrases.warning(story), outcome, said.state)
        return await self._answered(said, turn, outcome)

    async def _late_secret(self, said: _Said) -> BotTurn:
        """A secret that nobody asked for."""
        turn = self._noted(said, BLOT)
        voices = self._challenges.voices
        if said.challenge.get("kind") == VOICE and not await voices.waits(said.session, said.challenge):
            return await self._after(said, turn, voices.void(), VOICE)
        outcome = Outcome([Reply(NO_SECRET_WANTED)], action="late_secret")
        await self._engine.remind(self._moment(said), said.state, outcome)
        return await self._answered(said, turn, outcome)

    async def _voice(self, said: _Said) -> BotTurn:
        """Digits that were said aloud."""
        assert said.inbound.voice is not None, "looked at by the caller"
        turn = self._noted(said, BLOT)
        verdict = await self._challenges.voices.check(
            said.session, said.conversation, said.inbound.voice, said.inbound.origin
        )
        return await self._after(said, turn, verdict, VOICE)

    async def _other_way(self, said: _Said) -> BotTurn:
        """The customer cannot or will not speak."""
        turn = self._noted(said, for_log(said.text))
        return await self._after(said, turn, Verdict(False, unproved="declined"), VOICE)

    async def _resend(self, said: _Said) -> BotTurn:
        turn = self._noted(said, for_log(said.text, awaited=ANY))
        session, conversation, origin = said.session, said.conversation, said.inbound.origin
        kind = said.challenge["kind"]
        if kind == VOICE:
            asked = await self._challenges.voices.again(session, conversation, said.challenge, origin)
            if asked is None:
                return await self._after(said, turn, Verdict(False, unproved="unclear"), VOICE)
            reply = asked
        elif kind == "password" and conversation.channel in SECRETS_ELSEWHERE:
            reply = Reply(PASSWORD_ELSEWHERE, choices=LOCKED_CHOICES)
        elif (text := KNOWN_BY_HEART.get(kind)) is not None:
            reply = Reply(text, choices=LOCKED_CHOICES)
        else:
            reply = await self._challenges.send_code(session, conversation, origin)
        return await self._answered(said, turn, Outcome([reply], action="resend"))

    async def _not_here(self, said: _Said) -> BotTurn:
        """A secret typed where it is not safe is neither looked at nor counted as a try."""
        turn = self._noted(said, BLOT)
        outcome = Outcome([Reply(NOT_IN_THIS_CHAT, choices=choices("取消"))], action="secret_elsewhere")
        return await self._answered(said, turn, outcome)

    async def _secret(self, said: _Said) -> BotTurn:
        secret = secret_in(said.challenge, said.text, said.inbound.secret)
        assert secret is not None, "looked at by the caller"
        turn = self._noted(said, BLOT)
        kind = said.challenge["kind"]
        verdict: Verdict = await self._challenges.check(
            said.session, said.conversation, secret, said.now, said.inbound.origin
        )
        return await self._after(said, turn, verdict, kind)

    async def _after(self, said: _Said, turn: BotTurn, verdict: Verdict, kind: str) -> BotTurn:
        """Goes on after a proof of this kind, or without it."""
        conversation = said.conversation
        if verdict.login is not None:
            conversation.customer_id = verdict.login.customer_id
            conversation.verified_how, conversation.verified_at = verdict.login.how, said.now
        moment = replace(self.turn_of(said.session, conversation, said.now, origin=turn.origin), proof=kind)
        if verdict.proved:
            outcome = await self._engine.proved(moment, said.state)
        elif verdict.unproved is not None:
            conversation.challenge = None
            outcome = await self._engine.unproved(moment, said.state, verdict.unproved)
            outcome.replies[:0] = verdict.replies
        else:
            outcome = Outcome(list(verdict.replies), action=PROOF_FAILED if verdict.failed else "secret")
            if conversation.challenge is None and said.state.stack:
                await self._engine.drop_top(self._moment(said), said.state)
        return await self._answered(said, turn, outcome)

    def _moment(self, said: _Said) -> Turn:
        return self.turn_of(said.session, said.conversation, said.now)

    def _noted(self, said: _Said, text: str) -> BotTurn:
        return self._log(said.session, said.conversation, said.inbound, text, said.now)

    async def _answered(self, said: _Said, turn: BotTurn, outcome: Outcome) -> BotTurn:
        await self._answer(said.session, said.conversation, turn, outcome, said.state, said.now)
        return turn

    def _log(
        self, session: AsyncSession, conversation: Conversation, inbound: Inbound, text: str, now: datetime
    ) -> BotTurn:
        return BotTurn(
            log.append(
                session,
                conversation,
                now,
                sender="customer",
                sender_name="我",
                text=text,
                channel_message_id=inbound.channel_message_id,
            ),
            inbound.origin,
        )

    async def _answer(
        self,
        session: AsyncSession,
        conversation: Conversation,
        turn: BotTurn,
        outcome: Outcome,
        state: DialogueState,
        now: datetime,
    ) -> None:
        """Writes the replies, carries out the effects, and keeps the state: all in the caller's transaction."""
        turn.outcome = outcome
        turn.inbound.intent, turn.inbound.action = outcome.intent or None, outcome.action[:96] or None
        replies = list(outcome.replies)
        for effect in outcome.effects:
            replies.extend(await self._effect(session, conversation, turn, effect, state, now))
        waiting = any(frame.phase == "step_up" for frame in state.stack)
        if not waiting:
            conversation.challenge = None
        for reply in replies:
            turn.replies.append(
                log.append_reply(session, conversation, now, reply, in_reply_to=turn.inbound.seq)
            )
        conversation.state = state.to_json()
        last = turn.replies[-1] if turn.replies else None
        asked = await self.ratings.ask_when_over(session, conversation, now, last)
        if asked is not None:
            turn.replies.append(asked)

    async def _effect(
        self,
        session: AsyncSession,
        conversation: Conversation,
        turn: BotTurn,
        effect: Effect,
        state: DialogueState,
        now: datetime,
    ) -> list[Reply]:
        if isinstance(effect, AskSecret):
            asked = await self._challenges.open(session, conversation, effect, turn.origin)
            if asked is None:
                return await self._not_offered(session, conversation, turn, effect.kind, state, now)
            return asked
        if isinstance(effect, SettleLater):
            turn.settle.append(effect.order_id)
            return []
        assert isinstance(effect, HandOver)
        return [await self.hand_over(session, conversation, state, effect.reason, now, turn)]

    async def _not_offered(
        self,
        session: AsyncSession,
        conversation: Conversation,
        turn: BotTurn,
        kind: str,
        state: DialogueState,
        now: datetime,
    ) -> list[Reply]:
        """The proof a skill asked for is none here: the skill says what follows."""
        moment = replace(self.turn_of(session, conversation, now, origin=turn.origin), proof=kind)
        outcome = await self._engine.unproved(moment, state, "not_offered")
        replies = list(outcome.replies)
        for effect in outcome.effects:
            replies.extend(await self._effect(session, conversation, turn, effect, state, now))
        return replies

    async def hand_over(
        self,
        session: AsyncSession,
        conversation: Conversation,
        state: DialogueState,
        reason: Reason,
        now: datetime,
        turn: BotTurn | None = None,
    ) -> Reply:
        """Into the queue, or, with nobody on duty, said at once and a ticket offered: never a silent dead end."""
        asking = await self._asking(session, conversation, state, reason, now)
        placement = await self.staffing.place(session, asking)
        if not placement.staffed:
            await self.staffing.turned_away(session, asking, placement)
            return await self.nobody_there(session, conversation, state, placement.reason, now)
        ownership.queue_up(conversation, placement.reason, placement.priority, now)
        await self.staffing.queued(session, asking, placement)
        if turn is not None:
            turn.owner_changed = True
        await session.flush()
        place = await ownership.position(session, conversation)
        ahead = f"您前面还有{place - 1}位" if place and place > 1 else "马上就到您"
        return Reply(
            f"好的，正在为您转接人工，{ahead}。前面说过的同事都看得到，不用再重复。不想等了就说“取消排队”。",
            choices=choices("取消排队"),
        )

    async def nobody_there(
        self,
        session: AsyncSession,
        conversation: Conversation,
        state: DialogueState,
        reason: str,
        now: datetime,
    ) -> Reply:
        """Says so at once, with when somebody is back; a call-back is offered, or promised if it cannot wait."""
        opens_at = self.staffing.opens_at(now)
        why = NOBODY_NOW if opens_at <= now else NOBODY_UNTIL.format(at=moment_words(opens_at, now))
        if conversation.customer_id is not None:
            phone = (await self._bank.customers.get(session, conversation.customer_id)).phone
            owed = await self.staffing.owe_call(
                session, conversation.id, conversation.customer_id, phone, reason
            )
            if owed is not None:
                until = moment_words(owed.promised_at, now)
                return Reply(CALL_OWED.format(why=why, until=until, tail=phone[-4:], number=owed.number))
        state.pending = Pending("ticket")
        hours = self._bank.terms.value("service.agent_hours")
        return Reply(NOBODY_ON_DUTY.format(why=why, hours=hours), choices=choices("留工单", "不用了"))

    async def _asking(
        self,
        session: AsyncSession,
        conversation: Conversation,
        state: DialogueState,
        reason: Reason,
        now: datetime,
    ) -> Asking:
        level = ""
        if conversation.customer_id is not None:
            level = (await self._bank.customers.get(session, conversation.customer_id)).level
        told = await talk_so_far(session, conversation.id, self._phrases, now)
        if reason is Reason.ASKED and told.proof_failed:
            reason = Reason.VERIFICATION_FAILED
        return Asking(
            conversation_id=conversation.id,
            customer_id=conversation.customer_id,
            channel=conversation.channel,
            reason=reason,
            level=level,
            matter=state.top.skill if state.top is not None else "",
            told=told.story,
            language=told.language,
        )

    async def while_queued(
        self, session: AsyncSession, conversation: Conversation, inbound: Inbound, now: datetime
    ) -> BotTurn:
        """In the queue the assistant is silent, except that one may leave it."""
        turn = self._log(session, conversation, inbound, self._safe(inbound), now)
        if recognise(inbound.text, NOTHING_HEARD) is Command.CANCEL or "取消排队" in inbound.text:
            ownership.give_to_bot(conversation)
            await self.staffing.ended(session, conversation.id, "left")
            turn.owner_changed = True
            replies = await self.remind(session, conversation, now, BACK_FROM_QUEUE)
            turn.replies.extend(
                log.append_reply(session, conversation, now, reply, in_reply_to=turn.inbound.seq)
                for reply in replies
            )
        return turn

    async def while_with_agent(
        self, session: AsyncSession, conversation: Conversation, inbound: Inbound, now: datetime
    ) -> BotTurn:
        """While a human owns the conversation the assistant only writes down, with secrets blotted out.

        One thing more: a value the agent has proposed is filled in, or dropped, as the customer says.
        """
        await self.staffing.spoke(session, conversation.id, "customer")
        taken = None if inbound.secret else helping.answer_to(conversation, inbound.text)
        turn = self._log(session, conversation, inbound, self._safe(inbound), now)
        if taken is not None:
            turn.inbound.action = "adopt" if taken else "decline"
            text = await self._settle_proposal(session, conversation, taken, now)
            turn.replies.append(
                log.append(
                    session,
                    conversation,
                    now,
                    sender="system",
                    sender_name=log.SYSTEM_NAME,
                    text=text,
                    in_reply_to=turn.inbound.seq,
                )
            )
        return turn

    async def _settle_proposal(
        self, session: AsyncSession, conversation: Conversation, taken: bool, now: datetime
    ) -> str:
        proposal, conversation.proposal = conversation.proposal, None
        assert proposal is not None, "there is an answer to it"
        if not taken:
            return f"没有采用：{proposal['label']}。"
        state = state_from_json(conversation.state)
        accepted = Accepted(proposal["value"], proposal["shown"])
        moment = self.turn_of(session, conversation, now)
        if not await self._engine.adopt(moment, state, proposal["frame_id"], proposal["slot"], accepted):
            return "这项业务已经不在办了，没有填上。"
        conversation.state = state.to_json()
        return f"已填上：{proposal['label']}“{proposal['shown']}”。办理前还会请您确认。"

    @staticmethod
    def _safe(inbound: Inbound) -> str:
        return BLOT if inbound.secret else for_log(inbound.text, awaited=ANY)

    async def hung_up(self, session: AsyncSession, conversation: Conversation, now: datetime) -> None:
        """The customer has left: of what they were saying nothing is kept, and no draft waits for a yes."""
        await self._challenges.voices.given_up(session, conversation)
        state = state_from_json(conversation.state)
        await self._engine.left(self.turn_of(session, conversation, now), state)
        conversation.state = state.to_json()

    async def voice_gone(self, session: AsyncSession, conversation: Conversation, now: datetime) -> None:
        """What waits for a voice is given up without a word."""
        await self._challenges.voices.given_up(session, conversation)
        state = state_from_json(conversation.state)
        await self._engine.drop_top(self.turn_of(session, conversation, now), state)
        conversation.state, conversation.challenge = state.to_json(), None

    async def after_login(
        self, session: AsyncSession, conversation: Conversation, now: datetime
    ) -> list[Message]:
        """The customer logged in outside the chat: whatever waited for it goes on."""
        state = state_from_json(conversation.state)
        outcome = await self._engine.resume_after_login(self.turn_of(session, conversation, now), state)
        if outcome.replies:
            outcome.replies.insert(0, Reply("登录好了，我们接着办。"))
        conversation.state, conversation.challenge = state.to_json(), None
        return [log.append_reply(session, conversation, now, reply) for reply in outcome.replies]

    async def remind(
        self, session: AsyncSession, conversation: Conversation, now: datetime, words: str = HANDED_BACK
    ) -> list[Reply]:
        """What the assistant says when it gets the conversation back."""
        state = state_from_json(conversation.state)
        outcome = Outcome([Reply(words)])
        await self._engine.remind(self.turn_of(session, conversation, now), state, outcome)
        conversation.state = state.to_json()
        return outcome.replies


def _warn(warning: str, outcome: Outcome, state: DialogueState) -> None:
    """A customer who tells a swindler's story is warned first, and asked nothing that would help the swindler."""
    if outcome.action.startswith(SAFETY_ANSWER):
        return
    if outcome.action in UNCLEAR and not outcome.effects:
        state.pending, outcome.action = None, "warn"
        outcome.replies = [Reply(f"{warning}{LOOK_TOGETHER}", choices=choices("转人工", "锁住账户"))]
    else:
        outcome.replies.insert(0, Reply(warning))


def _by_ear(heard: ByEar | None, awaited: str) -> ByEar | None:
    """Readings that hold a secret are no readings: they would be kept with what is under way."""
    if heard is None:
        return None
    clean = tuple(other for other in heard.others if for_log(other, awaited=awaited) == other)
    return replace(heard, others=clean)


def _wants_number(state: DialogueState) -> bool:
    """True when a bare number is an answer to the question just asked."""
    return state.top is not None and (state.top.asking is not None or state.top.phase == "confirm")
