"""The pending secret: a password or a one-time code that the hub takes itself, so that nobody else ever sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.errors import BankError
from banking_core.identity import LOGIN, CodePurpose, Origin
from banking_core.orders.signing import code_purpose
from bot.conversation.models import Conversation
from bot.conversation.redaction import has_chinese
from bot.dialogue.reading.numbers import read_digits
from bot.dialogue.reply import Reply, choices
from bot.dialogue.skill import AskSecret

_RESEND = re.compile(r"重发|重新发|再发|没收到|收不到|没有收到|没看到短信|重新获取|再来一条|过期")
_CODE_WORDS = re.compile(
    r"验证码|短信|口令|动态|密码|code|我的|收到|就|是|为|这个|[\s:：，,。.!！吧啊呀]", re.IGNORECASE
)
RESEND_CHOICES = choices("重发", "取消")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an input: 'proved' lets the skill go on; otherwise the replies say what to do next."""

    proved: bool
    replies: tuple[Reply, ...] = ()
    customer_id: str | None = None  # set when a log-in succeeded


def wants_resend(text: str) -> bool:
    """重发, 没收到 ..."""
    return len(text) <= 16 and _RESEND.search(text) is not None


def secret_in(challenge: dict[str, Any], text: str, flagged: bool) -> str | None:
    """The secret the text gives, or None when it is a sentence for the assistant."""
    if challenge["kind"] == "password":
        return text.strip() if flagged or not has_chinese(text) else None
    rest = _CODE_WORDS.sub("", text)
    digits = rest if rest.isascii() and rest.isdigit() else read_digits(rest)
    if 4 <= len(digits) <= 8:
        return digits
    return rest if flagged else None


class Challenges:
    """Opens and checks challenges. All methods work inside the caller's transaction."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def open(
        self, session: AsyncSession, conversation: Conversation, ask: AskSecret, origin: Origin
    ) -> list[Reply]:
        """Begins waiting for the secret; a code is sent by SMS. Returns what to add to the skill's own words."""
        conversation.challenge = {"kind": ask.kind, "purpose": ask.purpose, "ref": ask.ref, "live": True}
        if ask.kind == "password":
            return []
        return [await self.send_code(session, conversation, origin)]

    async def send_code(self, session: AsyncSession, conversation: Conversation, origin: Origin) -> Reply:
        """Sends a (new) code for the pending purpose; a refusal to send says why and when to try again."""
        challenge = dict(conversation.challenge or {})
        customer_id = challenge.get("customer_id") or conversation.customer_id
        assert customer_id is not None, "a code is only sent to a known customer"
        customer = await self._bank.customers.get(session, customer_id)
        purpose = await self._purpose(session, challenge, customer_id)
        try:
            sent = await self._bank.identity.otp.send(
                session, customer_id=customer_id, phone=customer.phone, purpose=purpose, origin=origin
            )
        except BankError as error:
            conversation.challenge = challenge
            return Reply(error.customer_text, choices=RESEND_CHOICES)
        challenge |= {
            "kind": "otp",
            "live": True,
            "challenge_id": sent.challenge_id,
            "expires_at": sent.expires_at.isoformat(),
        }
        conversation.challenge = challenge
        seconds = self._bank.terms.value("security.otp_valid_s")
        return Reply(
            f"验证码已发到您的手机{sent.masked_phone}，{seconds}秒内有效，请输入6位数字。"
            f"没收到的话，{sent.resend_after_s}秒后可以说“重发”。",
            choices=RESEND_CHOICES,
        )

    async def _purpose(
        self, session: AsyncSession, challenge: dict[str, Any], customer_id: str
    ) -> CodePurpose:
        """The log-in, or exactly the order that was read back."""
        if challenge["purpose"] == "login":
            return LOGIN
        return code_purpose(await self._bank.orders.get(session, challenge["ref"], customer_id))

    async def check(
        self, session: AsyncSession, conversation: Conversation, secret: str, now: datetime, origin: Origin
    ) -> Verdict:
        """Checks the secret that was given. The secret is neither kept nor logged."""
        challenge = dict(conversation.challenge or {})
        if challenge["kind"] == "password":
            return await self._check_password(session, conversation, challenge, secret, origin)
        if not challenge.get("challenge_id"):
            return Verdict(False, (Reply("还没有有效的验证码，请先说“重发”。", choices=RESEND_CHOICES),))
        customer_id = challenge.get("customer_id") or conversation.customer_id
        assert customer_id is not None, "a code is only checked for a known customer"
        outcome = await self._bank.identity.otp.verify(
            session,
            challenge["challenge_id"],
            secret,
            customer_id=customer_id,
            purpose=await self._purpose(session, challenge, customer_id),
            origin=origin,
        )
        if outcome.kind == "ok":
            conversation.challenge = None
            login = challenge["purpose"] == "login"
            return Verdict(True, customer_id=customer_id if login else None)
        if outcome.kind == "wrong":
            text = f"验证码不对，还可以试{outcome.tries_left}次。"
            return Verdict(False, (Reply(text, choices=RESEND_CHOICES),))
        why = {"expired": "验证码已经过期", "exhausted": "验证码错的次数太多，这条已经作废"}.get(
            outcome.kind, "验证码已经用过"
        )
        conversation.challenge = challenge | {"live": False, "challenge_id": None}
        return Verdict(
            False, (Reply(f"{why}。说“重发”可以再要一条，不办了说“取消”。", choices=RESEND_CHOICES),)
        )

    async def _check_password(
        self,
        session: AsyncSession,
        conversation: Conversation,
        challenge: dict[str, Any],
        secret: str,
        origin: Origin,
    ) -> Verdict:
        outcome = await self._bank.identity.passwords.verify(session, challenge["ref"], secret)
        if outcome.kind == "ok":
            conversation.challenge = challenge | {"customer_id": outcome.customer_id}
            return Verdict(False, (await self.send_code(session, conversation, origin),))
        if outcome.kind == "locked":
            conversation.challenge = None
            text = "密码错的次数太多，为了安全先锁定登录，请稍后再试，或者说“转人工”。"
            return Verdict(False, (Reply(text, choices=choices("转人工", "取消")),))
        text = f"手机号或密码不对，还可以试{outcome.tries_left}次。请再输入一次密码，换手机号请先说“取消”。"
        return Verdict(False, (Reply(text, choices=choices("取消")),))
