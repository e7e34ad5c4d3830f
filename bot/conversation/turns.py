"""What the assistant does with one message, inside the hub's transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.days import moment_words
from banking_core.identity import NOWHERE, Origin
from banking_core.risk.phrases import packaged_phrases
from bot.conversation import helping, log, ownership
from bot.conversation.challenges import (
    KNOWN_BY_HEART,
    LOCKED_CHOICES,
    Challenges,
    secret_in,
    wants_resend,
)
from bot.conversation.circumstances import PROOF_FAILED, circumstances, talk_so_far
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import ANY, BLOT, for_log, looks_like_code, without_secrets
from bot.conversation.staffing import Asking, Staffing
from bot.conversation.verdicts import Verdict
from bot.conversation.views import Inbound
from bot.conversation.voices import VOICE, wants_other_way
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
        self._phrases = packaged_phrases()

    def turn_of(
        self,
        session: AsyncSession,
        conversation: Conversation,
        now: datetime,
        text: str = "",
        heard: Understanding | None = None,
        origin: Origin = NOWHERE,
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
        state = state_from_json(conversation.state)
        challenge = conversation.challenge
        text = inbound.text
        if challenge is not None and challenge["kind"] == VOICE and inbound.voice is not None:
            return await self._voice(session, conversation, inbound, state, now)
        if challenge is not None and challenge["kind"] == VOICE and wants_other_way(text):
            return await self._other_way(session, conversation, inbound, state, now)
        if challenge is not None and not inbound.secret and challenge["purpose"] and wants_resend(text):
            return await self._resend(session, conversation, inbound, state, now)
        if challenge is not None and (secret := secret_in(challenge, text, inbound.secret)) is not None:
            if conversation.channel in SECRETS_ELSEWHERE and not inbound.secret:
                return await self._not_here(session, conversation, inbound, state, now)
            return await self._secret(session, conversation, inbound, state, secret, now)
        if inbound.secret or (looks_like_code(text) and not _wants_number(state)):
            turn = self._log(session, conversation, inbound, BLOT, now)
            outcome = Outcome([Reply(NO_SECRET_WANTED)], action="late_secret")
            await self._engine.remind(self.turn_of(session, conversation, now), state, outcome)
            await self._answer(session, conversation, turn, outcome, state, now)
            return turn
        awaited = challenge["kind"] if challenge is not None else ""
        turn = self._log(session, conversation, inbound, for_log(text, awaited=awaited), now)
        spoken = without_secrets(text, awaited=awaited)
        moment = self.turn_of(session, conversation, now, spoken, heard, inbound.origin)
        story = self._phrases.hear(spoken)
        if story.categories:
            await self._engine.reconsider(moment, state)
        outcome = await self._engine.turn(moment, state)
        if story.categories:
            _warn(self._phrases.warning(story), outcome, state)
        await self._answer(session, conversation, turn, outcome, state, now)
        return turn

    async def _voice(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: Inbound,
        state: DialogueState,
        now: datetime,
    ) -> BotTurn:
        """Digits that were said aloud."""
        assert inbound.voice is not None, "looked at by the caller"
        turn = self._log(session, conversation, inbound, BLOT, now)
        verdict = await self._challenges.voices.check(session, conversation, inbound.voice, inbound.origin)
        return await self._after(session, conversation, turn, verdict, VOICE, state, now)

    async def _other_way(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: Inbound,
        state: DialogueState,
        now: datetime,
    ) -> BotTurn:
        """The customer cannot or will not speak."""
        turn = self._log(session, conversation, inbound, for_log(inbound.text), now)
        verdict = Verdict(False, unproved="declined")
        return await self._after(session, conversation, turn, verdict, VOICE, state, now)

    async def _resend(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: Inbound,
        state: DialogueState,
        now: datetime,
    ) -> BotTurn:
        turn = self._log(session, conversation, inbound, for_log(inbound.text, awaited=ANY), now)
        challenge = conversation.challenge or {}
        if challenge["kind"] == VOICE:
            asked = await self._challenges.voices.again(session, conversation, challenge, inbound.origin)
            if asked is None:
                verdict = Verdict(False, unproved="unclear")
                return await self._after(session, conversation, turn, verdict, VOICE, state, now)
            reply = asked
        elif (text := KNOWN_BY_HEART.get(challenge["kind"])) is not None:
            reply = Reply(text, choices=LOCKED_CHOICES)
        else:
            reply = await self._challenges.send_code(session, conversation, inbound.origin)
        await self._answer(session, conversation, turn, Outcome([reply], action="resend"), state, now)
        return turn

    async def _not_here(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: Inbound,
        state: DialogueState,
        now: datetime,
    ) -> BotTurn:
        """A secret typed where it is not safe is neither looked at nor counted as a try."""
        turn = self._log(session, conversation, inbound, BLOT, now)
        outcome = Outcome([Reply(NOT_IN_THIS_CHAT, choices=choices("取消"))], action="secret_elsewhere")
        await self._answer(session, conversation, turn, outcome, state, now)
        return turn

    async def _secret(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: Inbound,
        state: DialogueState,
        secret: str,
        now: datetime,
    ) -> BotTurn:
        turn = self._log(session, conversation, inbound, BLOT, now)
        kind = (conversation.challenge or {})["kind"]
        verdict: Verdict = await self._challenges.check(session, conversation, secret, now, inbound.origin)
        return await self._after(session, conversation, turn, verdict, kind, state, now)

    async def _after(
        self,
        session: AsyncSession,
        conversation: Conversation,
        turn: BotTurn,
        verdict: Verdict,
        kind: str,
        state: DialogueState,
        now: datetime,
    ) -> BotTurn:
        """Goes on after a proof of this kind, or without it."""
        if verdict.login is not None:
            conversation.customer_id = verdict.login.customer_id
            conversation.verified_how, conversation.verified_at = verdict.login.how, now
        moment = replace(self.turn_of(session, conversation, now, origin=turn.origin), proof=kind)
        if verdict.proved:
            outcome = await self._engine.proved(moment, state)
        elif verdict.unproved is not None:
            conversation.challenge = None
            outcome = await self._engine.unproved(moment, state, verdict.unproved)
            outcome.replies[:0] = verdict.replies
        else:
            outcome = Outcome(list(verdict.replies), action=PROOF_FAILED if verdict.failed else "secret")
            if conversation.challenge is None and state.stack:
                await self._engine.drop_top(self.turn_of(session, conversation, now), state)
        await self._answer(session, conversation, turn, outcome, state, now)
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

    async def hung_up(self, session: AsyncSession, conversation: Conversation) -> None:
        """The customer has left: of what they were saying nothing is kept."""
        await self._challenges.voices.given_up(session, conversation)

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


def _wants_number(state: DialogueState) -> bool:
    """True when a bare number is an answer to the question just asked."""
    return state.top is not None and (state.top.asking is not None or state.top.phase == "confirm")
