"""The pending voice: digits that the customer says aloud. The line makes a sample of it, the bank judges it.

The digits are in no message and no state of the dialogue: the line asks for them (`Hub.spoken_password`), says them and
forgets them.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.errors import BankError
from banking_core.identity import LoginDone, Origin, proved_possession
from banking_core.voiceprints import (
    EnrolmentStep,
    Fault,
    Tier,
    VoiceEnrolmentStale,
    VoiceOutcome,
    VoicePrompted,
    VoicePromptUnknown,
    VoiceSample,
)
from bot.conversation.models import Conversation
from bot.conversation.verdicts import Verdict
from bot.dialogue.reply import Choice, Reply, choices
from bot.dialogue.skill import AskSecret

VOICE = "voice"
ENROL = "enrol"
_OTHER_WAY = re.compile(r"验证码|短信|按键|密码|换(个|一个|种|一种)?(方式|方法|办法)|嗓子|感冒|说不了|不方便")
WORDS_MAX = 16
OTHER_WAY_CHOICES = choices("用验证码", "转人工")
ENROL_CHOICES = choices("取消", "转人工")
FAULTS: dict[Fault, str] = {
    "": "没有录好。",
    "too_short": "太短了，没有录全。",
    "too_quiet": "声音太小了，请离话筒近一点。",
    "clipped": "声音太大了，请离话筒远一点。",
    "noisy": "您那边太吵了，请换个安静的地方。",
    "not_speech": "没有听到您念。",
    "two_voices": "好像不止一个人在说，请您一个人念。",
}
VOID = "这组数字已经失效。"
REFUSED = {
    "late": "等得太久，这组数字过期了。",
    "wrong_digits": "数字没有对上。",
    "wrong_voice": "没有核实成功。",
    "another_voice": "和前面的声音不太一样，请还是您一个人念。",
}


def wants_other_way(text: str) -> bool:
    """用验证码, 嗓子哑了 ..."""
    return len(text) <= WORDS_MAX and _OTHER_WAY.search(text) is not None


class VoiceChallenges:
    """Asks for voices and checks them. All methods work inside the caller's transaction."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def open(
        self, session: AsyncSession, conversation: Conversation, ask: AskSecret, origin: Origin
    ) -> Reply | None:
        """Begins waiting for a voice; None where it is no way to prove anything here."""
        challenge: dict[str, Any] = {"kind": VOICE, "purpose": ask.purpose, "ref": ask.ref}
        challenge["tier"] = "high" if ask.strict else "medium"
        return await self._ask(session, conversation, challenge, origin)

    async def again(
        self, session: AsyncSession, conversation: Conversation, challenge: dict[str, Any], origin: Origin
    ) -> Reply | None:
        """Other digits for the same purpose; None when there are no more."""
        return await self._ask(session, conversation, challenge, origin)

    async def _ask(
        self, session: AsyncSession, conversation: Conversation, challenge: dict[str, Any], origin: Origin
    ) -> Reply | None:
        prompted = await self._prompted(session, conversation, challenge, origin)
        if prompted is None:
            return None
        words = {
            "login": "我用声纹核实您的身份，请跟我念。",
            "order": "请用声音核实一下，跟我念。",
            ENROL: "第一遍，请跟我念。",
        }
        return self._wait(conversation, challenge, prompted, words[challenge["purpose"]])

    async def _prompted(
        self, session: AsyncSession, conversation: Conversation, challenge: dict[str, Any], origin: Origin
    ) -> VoicePrompted | None:
        if challenge["purpose"] == "login":
            logins, attempt_id = self._bank.voice_logins, challenge.get("attempt_id")
            if attempt_id is None:
                started = await logins.start(session, challenge["ref"], origin=origin)
            else:
                started = await logins.again(session, attempt_id, challenge["ref"])
            if started is None:
                return None
            challenge["attempt_id"] = started.attempt_id
            return started.prompted
        assert conversation.customer_id is not None, "whose voice it is must be known"
        if challenge["purpose"] == ENROL:
            try:
                return await self._bank.voiceprints.begin_enrolment(
                    session, conversation.customer_id, challenge["ref"]
                )
            except BankError:
                return None
        return await self._bank.voiceprints.ask(
            session, conversation.customer_id, f"order:{challenge['ref']}"
        )

    async def check(
        self, session: AsyncSession, conversation: Conversation, sample: VoiceSample, origin: Origin
    ) -> Verdict:
        """One recording."""
        challenge = dict(conversation.challenge or {})
        if sample.prompt_id != challenge.get("prompt_id"):
            # Others have been drawn meanwhile.
            text = f"{REFUSED['late']}请再跟我念。"
            return Verdict(False, (Reply(text, choices=_choices(challenge)),))
        try:
            if challenge["purpose"] == ENROL:
                return await self._enrolled(session, conversation, challenge, sample, origin)
            if challenge["purpose"] == "login":
                return await self._logged_in(session, conversation, challenge, sample, origin)
            return await self._proved(session, conversation, challenge, sample, origin)
        except (VoicePromptUnknown, VoiceEnrolmentStale):
            return self.void()
        except BankError as error:
            conversation.challenge = None
            return Verdict(False, (Reply(error.customer_text),), unproved="unclear")

    @staticmethod
    def void() -> Verdict:
        """The digits count no more, and no others follow: the skill says what does."""
        return Verdict(False, (Reply(VOID),), unproved="unclear")

    async def waits(self, session: AsyncSession, challenge: dict[str, Any]) -> bool:
        """Whether the digits may still be said: not once another call has begun a recording, or all was cancelled."""
        return (
            await self._bank.voiceprints.password(session, challenge["prompt_id"], former=False) is not None
        )

    async def _proved(
        self,
        session: AsyncSession,
        conversation: Conversation,
        challenge: dict[str, Any],
        sample: VoiceSample,
        origin: Origin,
    ) -> Verdict:
        assert conversation.customer_id is not None, "whose voice it is must be known"
        tier: Tier = challenge["tier"]
        outcome = await self._bank.voiceprints.verify(
            session,
            conversation.customer_id,
            f"order:{challenge['ref']}",
            tier,
            sample,
            strong=proved_possession(conversation.verified_how or ""),
            origin=origin,
        )
        return self._verdict(conversation, challenge, outcome)

    async def _logged_in(
        self,
        session: AsyncSession,
        conversation: Conversation,
        challenge: dict[str, Any],
        sample: VoiceSample,
        origin: Origin,
    ) -> Verdict:
        outcome, login = await self._bank.voice_logins.give(
            session, challenge["attempt_id"], challenge["ref"], sample, origin=origin
        )
        if isinstance(login, LoginDone):
            conversation.challenge = None
            return Verdict(True, login=login)
        if login is not None:  # frozen: a code would be in vain, and is asked for all the same
            return Verdict(False, unproved="unclear")
        return self._verdict(conversation, challenge, outcome)

    def _verdict(
        self, conversation: Conversation, challenge: dict[str, Any], outcome: VoiceOutcome
    ) -> Verdict:
        if outcome.proved:
            conversation.challenge = None
            return Verdict(True)
        if outcome.suspicious:
            return Verdict(False, unproved="suspicious")
        words = FAULTS[outcome.fault] if outcome.kind == "fault" else REFUSED[outcome.kind]
        if outcome.next is None:
            return Verdict(False, (Reply(words),), unproved="unclear")
        reply = self._wait(conversation, challenge, outcome.next, f"{words}请再跟我念。")
        return Verdict(False, (reply,))

    async def _enrolled(
        self,
        session: AsyncSession,
        conversation: Conversation,
        challenge: dict[str, Any],
        sample: VoiceSample,
        origin: Origin,
    ) -> Verdict:
        assert conversation.customer_id is not None, "whose voice it is must be known"
        step = await self._bank.voiceprints.take_sample(
            session, conversation.customer_id, sample, origin=origin
        )
        if step.kind == "done":
            conversation.challenge = None
            return Verdict(True)
        if step.next is None:
            return Verdict(False, unproved="suspicious" if step.kind == "replayed" else "unclear")
        return Verdict(False, (self._wait(conversation, challenge, step.next, _step_words(step)),))

    @staticmethod
    def _wait(
        conversation: Conversation, challenge: dict[str, Any], prompted: VoicePrompted, words: str
    ) -> Reply:
        conversation.challenge = challenge | {
            "prompt_id": prompted.prompt_id,
            "live": True,
            "expires_at": prompted.expires_at.isoformat(),
        }
        return Reply(words, choices=_choices(challenge))

    async def given_up(self, session: AsyncSession, conversation: Conversation) -> None:
        """The customer has gone: nothing of a recording under way is kept."""
        challenge = conversation.challenge
        if challenge and challenge["kind"] == VOICE and conversation.customer_id is not None:
            await self._bank.voiceprints.give_up_enrolment(
                session, conversation.customer_id, challenge["ref"]
            )


def _choices(challenge: dict[str, Any]) -> tuple[Choice, ...]:
    return ENROL_CHOICES if challenge["purpose"] == ENROL else OTHER_WAY_CHOICES


def _step_words(step: EnrolmentStep) -> str:
    if step.kind == "taken":
        return f"好的。第{'零一二三四五六七八九'[step.number + 1]}遍，请跟我念。"
    words = FAULTS[step.fault] if step.kind == "fault" else REFUSED[step.kind]
    return f"{words}这一遍重来，请跟我念。"
