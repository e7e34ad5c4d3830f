"""One-time codes by SMS: six digits, short-lived, three tries, single use.

Only an HMAC of the code is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock, bank_date
from banking_core.configuration import Terms
from banking_core.customers.service import Customers
from banking_core.days import day_bounds
from banking_core.errors import ProviderUnavailable
from banking_core.identity.errors import OtpTooMany, OtpUnknown
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import OtpChallenge
from banking_core.money_text import mask_phone
from banking_core.providers.protocols import SmsGateway
from banking_core.storage import after_commit, new_id

log = logging.getLogger(__name__)
CODE_DIGITS = 6
SENT_PER_DAY_MAX = 10
VALID_TERM = "security.otp_valid_s"
TRIES_TERM = "security.otp_tries"
RESEND_TERM = "security.otp_resend_wait_s"

# What the SMS says the code is for; an unknown purpose is called 身份验证.
PURPOSES = {
    "login": "登录",
    "transfer": "转账",
    "bill_pay": "生活缴费",
    "topup": "手机充值",
    "card_cancel_loss": "解除挂失",
    "security_unlock": "解除安全锁",
    "payee_add": "添加收款人",
}


@dataclass(frozen=True)
class OtpSent:
    """A code is on its way to `masked_phone`."""

    challenge_id: str
    masked_phone: str
    expires_at: datetime


@dataclass(frozen=True)
class OtpOutcome:
    """The result of one try; `tries_left` is 0 unless the code may be tried again."""

    kind: Literal["ok", "wrong", "expired", "exhausted", "used"]
    tries_left: int


class OneTimeCodes:
    """Sending and checking codes. Never commits: commit after `verify` whatever its outcome."""

    def __init__(
        self,
        *,
        key: bytes,
        clock: Clock,
        terms: Terms,
        customers: Customers,
        sms: SmsGateway,
        security_log: SecurityLog,
    ) -> None:
        self._key = key
        self._clock = clock
        self._customers = customers
        self._sms = sms
        self._log = security_log
        self._valid_s = terms.integer(VALID_TERM)
        self._tries = terms.integer(TRIES_TERM)
        self._resend = timedelta(seconds=terms.integer(RESEND_TERM))

    async def send(self, session: AsyncSession, *, customer_id: str, phone: str, purpose: str) -> OtpSent:
        """Makes a code and sends it once the session is committed; an older one for the purpose becomes void.

        Raises OtpTooMany, CustomerNotFound.
        """
        await self._customers.lock(session, customer_id)
        now = self._clock.now()
        await self._check_sending(session, phone, now)
        await session.execute(
            update(OtpChallenge)
            .where(
                OtpChallenge.customer_id == customer_id,
                OtpChallenge.purpose == purpose,
                OtpChallenge.status == "open",
            )
            .values(status="void")
        )
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        challenge_id = new_id()
        challenge = OtpChallenge(
            id=challenge_id,
            customer_id=customer_id,
            phone=phone,
            purpose=purpose,
            code_hmac=self._hmac(challenge_id, code),
            tries_left=self._tries,
            status="open",
            sent_at=now,
            expires_at=now + timedelta(seconds=self._valid_s),
        )
        session.add(challenge)
        detail = {"purpose": purpose}
        await self._log.record(session, "otp_sent", customer_id=customer_id, phone=phone, detail=detail)
        text = (
            f"【掌柜银行】验证码{code}，用于{PURPOSES.get(purpose, '身份验证')}，{self._valid_s}秒内有效。"
            "请勿告诉任何人，银行工作人员也不会向您索要。"
        )
        self._send_after_commit(session, challenge_id, phone, text)
        return OtpSent(challenge_id, mask_phone(phone), challenge.expires_at)

    async def verify(
        self, session: AsyncSession, challenge_id: str, code: str, *, customer_id: str
    ) -> OtpOutcome:
        """One try at a code; raises OtpUnknown when it was not sent to this customer."""
        statement = (
            select(OtpChallenge)
            .where(OtpChallenge.id == challenge_id, OtpChallenge.customer_id == customer_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        challenge = await session.scalar(statement)
        if challenge is None:
            raise OtpUnknown("no such challenge of this customer")
        outcome = self._try(challenge, code)
        detail = {"purpose": challenge.purpose, "outcome": outcome.kind}
        await self._log.record(
            session, "otp_tried", customer_id=customer_id, phone=challenge.phone, detail=detail
        )
        return outcome

    def _try(self, challenge: OtpChallenge, code: str) -> OtpOutcome:
        if challenge.status == "used":
            return OtpOutcome("used", 0)
        if challenge.status == "exhausted":
            return OtpOutcome("exhausted", 0)
        if challenge.status == "void" or self._clock.now() >= challenge.expires_at:
            return OtpOutcome("expired", 0)
        if hmac.compare_digest(challenge.code_hmac, self._hmac(challenge.id, code.strip())):
            challenge.status = "used"
            return OtpOutcome("ok", 0)
        challenge.tries_left -= 1
        if challenge.tries_left == 0:
            challenge.status = "exhausted"
            return OtpOutcome("exhausted", 0)
        return OtpOutcome("wrong", challenge.tries_left)

    async def _check_sending(self, session: AsyncSession, phone: str, now: datetime) -> None:
        start, end = day_bounds(bank_date(now))
        statement = select(func.count()).where(
            OtpChallenge.phone == phone, OtpChallenge.sent_at >= start, OtpChallenge.sent_at < end
        )
        sent_today = await session.scalar(statement) or 0
        if sent_today >= SENT_PER_DAY_MAX:
            raise OtpTooMany(
                "daily sending limit",
                retry_after_s=math.ceil((end - now).total_seconds()),
                customer_text="今天获取验证码的次数已经用完，请明天再试，或者回复“转人工”。",
            )
        # A code that was given has done its work: whoever has just logged in may pay without waiting.
        last = await session.scalar(
            select(OtpChallenge.sent_at)
            .where(OtpChallenge.phone == phone, OtpChallenge.status != "used")
            .order_by(OtpChallenge.sent_at.desc())
            .limit(1)
        )
        if last is not None and now < last + self._resend:
            wait_s = math.ceil((last + self._resend - now).total_seconds())
            raise OtpTooMany(
                "sent a moment ago",
                retry_after_s=wait_s,
                customer_text=f"验证码刚刚发过，请{wait_s}秒后再获取。",
            )

    def _send_after_commit(self, session: AsyncSession, key: str, phone: str, text: str) -> None:
        async def send() -> None:
            try:
                await self._sms.send(key=key, phone=phone, text=text)
            except ProviderUnavailable:
                # The challenge is committed; the customer sees no SMS arrive and asks for another.
                log.warning("SMS of challenge %s was not accepted", key)

        after_commit(session, send)

    def _hmac(self, challenge_id: str, code: str) -> str:
        return hmac.new(self._key, f"{challenge_id}:{code}".encode(), hashlib.sha256).hexdigest()
