"""The pending secret: a password or a one-time code that the hub takes itself, so that nobody else ever sees it."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.days import wait_words
from banking_core.errors import BankError
from banking_core.identity import (
    CodePurpose,
    LoginNeeds,
    LoginRefusal,
    LoginResult,
    LoginStale,
    Origin,
    OtpSent,
)
from banking_core.orders.signing import code_purpose
from banking_core.restrictions import CustomerFrozen
from bot.conversation.models import Conversation
from bot.conversation.redaction import has_chinese, in_digits
from bot.conversation.verdicts import Verdict
from bot.conversation.voices import VOICE, VoiceChallenges
from bot.dialogue.reading.numbers import read_digits
from bot.dialogue.reply import Reply, choices
from bot.dialogue.skill import HEARD, AskSecret

_RESEND = re.compile(r"重发|重新发|再发|没收到|收不到|没有收到|没看到短信|重新获取|再来一条|过期")
_CODE_WORDS = re.compile(
    r"验证码|短信|口令|动态|恢复码|密码|code|我的|收到|就|是|为|这个|[\s:：，,。.!！吧啊呀]", re.IGNORECASE
)
_RECOVERY = re.compile(r"[0-9A-Za-z]{5}-?[0-9A-Za-z]{5}")
_ID_WORDS = re.compile(r"证件|身份证|号码|号|后四位|后4位|尾号|末四位|我的|就|是|为|[\s:：，,。.!！吧啊呀]")
_ID_TAIL = re.compile(r"[0-9]{3}[0-9Xx]")
RESEND_CHOICES = choices("重发", "取消")
LOCKED_CHOICES = choices("转人工", "取消")
FAILED = ("locked", "exhausted", "frozen")
TRY_LATER_CHOICES = choices("重发", "转人工", "取消")
CODE_NAMES = {"otp": "验证码", "totp": "动态口令"}
# What no message is sent for, and what is said to whoever waits for one.
KNOWN_BY_HEART = {
    "password": "密码是您开户时自己设的，不会发短信。请直接输入；忘了密码请说“转人工”。",
    "id_tail": "这一步不发短信，请直接输入开户证件号码的后四位；不方便请说“转人工”。",
}
PASSWORD_ELSEWHERE = "密码是您开户时自己设的，不会发短信。请在安全页面输入；忘了密码请说“转人工”。"
ASKS = {
    "totp": "请输入动态口令App上的6位数字。手机不在身边可以输入恢复码，或者说“重发”改用短信验证码。",
    "id_tail": "这次登录和平时不太一样，为了安全再核对一项：请输入开户证件号码的后四位，最后一位是字母就输入字母。",
}
ID_TAIL_BY_KEYS = "再核对一项：请按键输入开户证件号码的后四位，最后一位是字母就按星号。"


def wants_resend(text: str) -> bool:
    """重发, 没收到 ..."""
    return len(text) <= 16 and _RESEND.search(text) is not None


def secret_in(challenge: dict[str, Any], text: str, flagged: bool) -> str | None:
    """The secret the text gives, or None when it is a sentence for the assistant."""
    if challenge["kind"] == VOICE:
        return None
    if challenge["kind"] == "password":
        return text.strip() if flagged or not has_chinese(text) else None
    if challenge["kind"] == "id_tail":
        tail = in_digits(_ID_WORDS.sub("", text))
        return tail if flagged or _ID_TAIL.fullmatch(tail) else None
    rest = _CODE_WORDS.sub("", text)
    if challenge["kind"] == "totp" and _RECOVERY.fullmatch(rest):
        return rest
    digits = rest if rest.isascii() and rest.isdigit() else read_digits(rest)
    if 4 <= len(digits) <= 8:
        return digits
    return rest if flagged else None


class Challenges:
    """Opens and checks challenges. All methods work inside the caller's transaction."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._logins = bank.identity.logins
        self.voices = VoiceChallenges(bank)

    async def open(
        self, session: AsyncSession, conversation: Conversation, ask: AskSecret, origin: Origin
    ) -> list[Reply] | None:
        """Begins waiting for the secret; a code is sent by SMS. Returns what to add to the skill's own words.

        None when this secret is no way here.
        """
        if ask.kind == VOICE:
            asked = await self.voices.open(session, conversation, ask, origin)
            return None if asked is None else [asked]
        conversation.challenge = {"kind": ask.kind, "purpose": ask.purpose, "ref": ask.ref, "live": True}
        if ask.kind == "password":
            return []
        if ask.purpose == "login":
            conversation.challenge |= {"by_code": True}
        if ask.last:
            conversation.challenge |= {"last": True}
        return [await self.send_code(session, conversation, origin)]

    async def send_code(self, session: AsyncSession, conversation: Conversation, origin: Origin) -> Reply:
        """Sends a (new) code for the pending purpose; a refusal to send says why and when to try again."""
        challenge = dict(conversation.challenge or {})
        if challenge.get("by_code"):
            return await self._begin_by_code(session, conversation, challenge, origin)
        if challenge["purpose"] == "login":
            try:
                needs = await self._logins.resend(session, challenge["attempt_id"], origin=origin)
            except LoginStale as error:
                return self._begin_again(conversation, challenge, error)
            return self._ask(conversation, challenge, needs)
        assert conversation.customer_id is not None, "a code for an order is only sent to its customer"
        customer = await self._bank.customers.get(session, conversation.customer_id)
        try:
            sent = await self._bank.identity.otp.send(
                session,
                customer_id=customer.id,
                phone=customer.phone,
                purpose=await self._purpose(session, challenge, customer.id),
                origin=origin,
            )
        except BankError as error:
            conversation.challenge = challenge
            return Reply(error.customer_text, choices=TRY_LATER_CHOICES)
        challenge["challenge_id"] = sent.challenge_id
        return self._sent(conversation, challenge, sent)

    async def _begin_by_code(
        self, session: AsyncSession, conversation: Conversation, challenge: dict[str, Any], origin: Origin
    ) -> Reply:
        """A log-in without a password, from its beginning."""
        needs = await self._logins.start_by_code(session, challenge["ref"], origin=origin)
        return self._ask(conversation, challenge, needs)

    async def check(
        self, session: AsyncSession, conversation: Conversation, secret: str, now: datetime, origin: Origin
    ) -> Verdict:
        """Checks the secret that was given. The secret is neither kept nor logged."""
        challenge = dict(conversation.challenge or {})
        if challenge["purpose"] == "login":
            return await self._check_login(session, conversation, challenge, secret, now, origin)
        if not challenge.get("challenge_id"):
            return Verdict(False, (Reply("还没有有效的验证码，请先说“重发”。", choices=RESEND_CHOICES),))
        assert conversation.customer_id is not None, "a code for an order is only checked for its customer"
        outcome = await self._bank.identity.otp.verify(
            session,
            challenge["challenge_id"],
            secret,
            customer_id=conversation.customer_id,
            purpose=await self._purpose(session, challenge, conversation.customer_id),
            origin=origin,
        )
        if outcome.kind == "ok":
            conversation.challenge = None
            return Verdict(True)
        if outcome.kind == "exhausted" and challenge.get("last"):
            conversation.challenge = None
            return Verdict(False, unproved="unclear")
        refusal = LoginRefusal("otp", outcome.kind, outcome.tries_left)
        reply = self._code_refused(conversation, challenge, refusal, now)
        return Verdict(False, (reply,), failed=refusal.kind in FAILED)

    async def _purpose(
        self, session: AsyncSession, challenge: dict[str, Any], customer_id: str
    ) -> CodePurpose:
        """Exactly the order that was read back."""
        return code_purpose(await self._bank.orders.get(session, challenge["ref"], customer_id))

    async def _check_login(
        self,
        session: AsyncSession,
        conversation: Conversation,
        challenge: dict[str, Any],
        secret: str,
        now: datetime,
        origin: Origin,
    ) -> Verdict:
        result: LoginResult
        if challenge["kind"] == "password":
            result = await self._logins.start(session, challenge["ref"], secret, origin=origin)
        else:
            try:
                result = await self._logins.give(session, challenge["attempt_id"], secret, origin=origin)
            except LoginStale as error:
                if challenge.get("by_code"):
                    return Verdict(
                        False, (await self._begin_by_code(session, conversation, challenge, origin),)
                    )
                return Verdict(False, (self._begin_again(conversation, challenge, error),))
        if isinstance(result, LoginNeeds):
            return Verdict(False, (self._ask(conversation, challenge, result),))
        if isinstance(result, LoginRefusal):
            reply = self._refused(conversation, challenge, result, now)
            return Verdict(False, (reply,), failed=result.kind in FAILED)
        conversation.challenge = None
        if origin.session_id:
            await self._bank.identity.sessions.log_in(session, origin.session_id, result)
        return Verdict(True, login=result)

    def _ask(self, conversation: Conversation, challenge: dict[str, Any], needs: LoginNeeds) -> Reply:
        """Waits for the next proof of a log-in."""
        challenge |= {"kind": needs.need, "attempt_id": needs.attempt_id, "live": True, "expires_at": None}
        if needs.sent is not None:
            return self._sent(conversation, challenge, needs.sent)
        conversation.challenge = challenge | {"live": needs.not_sent is None}
        if needs.not_sent is not None:
            return Reply(needs.not_sent.customer_text, choices=TRY_LATER_CHOICES)
        asked = ID_TAIL_BY_KEYS if challenge.get("by_code") else ASKS[needs.need]
        return Reply(asked, choices=RESEND_CHOICES if needs.need == "totp" else LOCKED_CHOICES)

    def _sent(self, conversation: Conversation, challenge: dict[str, Any], sent: OtpSent) -> Reply:
        conversation.challenge = challenge | {
            "kind": "otp",
            "live": True,
            "expires_at": sent.expires_at.isoformat(),
        }
        if conversation.channel in HEARD:
            text = f"验证码已发到尾号{sent.masked_phone[-4:]}的手机，请按键输入六位。"
            if challenge.get("by_code"):
                return Reply(f"{text}不是这个号码请说换手机号。", choices=choices("重发", "取消", "换手机号"))
            return Reply(text, choices=RESEND_CHOICES)
        seconds = self._bank.terms.value("security.otp_valid_s")
        return Reply(
            f"验证码已发到您的手机{sent.masked_phone}，{seconds}秒内有效，请输入6位数字。"
            f"没收到的话，{sent.resend_after_s}秒后可以说“重发”。",
            choices=RESEND_CHOICES,
        )

    def _begin_again(self, conversation: Conversation, challenge: dict[str, Any], error: LoginStale) -> Reply:
        """The log-in took too long: back to the password of the same phone number."""
        conversation.challenge = {key: challenge[key] for key in ("purpose", "ref")} | {
            "kind": "password",
            "live": True,
        }
        return Reply("这次登录等得太久，已经失效了。请再输入一次登录密码。", choices=choices("取消"))

    def _refused(
        self, conversation: Conversation, challenge: dict[str, Any], refusal: LoginRefusal, now: datetime
    ) -> Reply:
        if refusal.kind == "frozen":
            conversation.challenge = None
            return Reply(CustomerFrozen.default_customer_text, choices=LOCKED_CHOICES)
        if refusal.proof != "password":
            return self._code_refused(conversation, challenge, refusal, now)
        if refusal.kind == "locked":
            conversation.challenge = None
            what = "密码错的次数太多" if refusal.locked_what == "phone" else "您所在的网络登录失败次数太多"
            text = f"{what}，为了安全先锁定登录，请{_wait(refusal, now)}后再试，或者说“转人工”。"
            return Reply(text, choices=LOCKED_CHOICES)
        text = f"手机号或密码不对，还可以试{refusal.tries_left}次。请再输入一次密码，换手机号请先说“取消”。"
        return Reply(text, choices=choices("取消"))

    def _code_refused(
        self, conversation: Conversation, challenge: dict[str, Any], refusal: LoginRefusal, now: datetime
    ) -> Reply:
        if refusal.proof == "id_tail":
            return self._id_tail_refused(conversation, refusal, now)
        name = CODE_NAMES[refusal.proof]
        if refusal.kind == "locked":
            text = f"{name}错的次数太多，先锁定一会儿，请{_wait(refusal, now)}后再试，或者说“重发”改用短信验证码。"
            return Reply(text, choices=TRY_LATER_CHOICES)
        if refusal.kind == "wrong":
            return Reply(f"{name}不对，还可以试{refusal.tries_left}次。", choices=RESEND_CHOICES)
        if refusal.proof == "totp":
            return Reply("这个动态口令已经用过，请等App上换成下一个再输入。", choices=RESEND_CHOICES)
        why = {"expired": "验证码已经过期", "exhausted": "验证码错的次数太多，这条已经作废"}.get(
            refusal.kind, "验证码已经用过"
        )
        conversation.challenge = challenge | {"live": False, "challenge_id": None}
        return Reply(f"{why}。说“重发”可以再要一条，不办了说“取消”。", choices=TRY_LATER_CHOICES)

    def _id_tail_refused(self, conversation: Conversation, refusal: LoginRefusal, now: datetime) -> Reply:
        if refusal.kind == "locked":
            conversation.challenge = None
            text = f"证件号码后四位错的次数太多，为了安全先停一停，请{_wait(refusal, now)}后再登录，或者说“转人工”。"
            return Reply(text, choices=LOCKED_CHOICES)
        text = f"证件号码后四位不对，还可以试{refusal.tries_left}次。"
        return Reply(text, choices=LOCKED_CHOICES)


def _wait(refusal: LoginRefusal, now: datetime) -> str:
    assert refusal.locked_until is not None
    return wait_words(max(1, math.ceil((refusal.locked_until - now).total_seconds())))
