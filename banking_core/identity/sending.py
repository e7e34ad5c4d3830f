"""How many codes are sent: per phone number, per address and over all. The figures are terms of the bank."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import bank_date
from banking_core.configuration import Terms
from banking_core.days import day_bounds, wait_words
from banking_core.identity.errors import OtpTooMany
from banking_core.identity.guards import locked_guard
from banking_core.identity.keys import Fingerprints
from banking_core.identity.models import OtpChallenge
from banking_core.identity.origin import line_of

log = logging.getLogger(__name__)
RESEND_TERM = "security.otp_resend_wait_s"
ALL_DAY_TERM = "security.otp_all_day_times"
NEXT_STEP = "或者回复“转人工”。"


@dataclass(frozen=True)
class _Window:
    """At most as many as the term says within `length` (a bank day when None)."""

    term: str
    length: timedelta | None
    text: str


PHONE_WINDOWS = (
    _Window(
        "security.otp_phone_day_times",
        None,
        f"今天获取验证码的次数已经用完，请明天再试，{NEXT_STEP}",
    ),
    _Window(
        "security.otp_phone_hour_times",
        timedelta(hours=1),
        f"最近一小时获取验证码的次数太多，请{{wait}}后再试，{NEXT_STEP}",
    ),
    _Window(
        "security.otp_phone_minute_times",
        timedelta(minutes=1),
        "验证码刚刚发过几次，请{wait}后再获取。",
    ),
)
ADDRESS_WINDOWS = (
    _Window(
        "security.otp_address_day_times",
        None,
        f"您所在的网络今天获取验证码的次数已经用完，请换一个网络，{NEXT_STEP}",
    ),
    _Window(
        "security.otp_address_hour_times",
        timedelta(hours=1),
        f"您所在的网络最近获取验证码的次数太多，请{{wait}}后再试，{NEXT_STEP}",
    ),
)


class SendingLimits:
    """Says whether one more code may be sent. Locks what it counts under until the transaction ends."""

    def __init__(self, terms: Terms, fingerprints: Fingerprints) -> None:
        self._fingerprints = fingerprints
        self._resend = timedelta(seconds=terms.integer(RESEND_TERM))
        self._all_day_max = terms.integer(ALL_DAY_TERM)
        self._times = {
            window.term: terms.integer(window.term) for window in (*PHONE_WINDOWS, *ADDRESS_WINDOWS)
        }

    @property
    def resend_after_s(self) -> int:
        """Seconds until another code may be asked for while the last one was not given."""
        return int(self._resend.total_seconds())

    def phone_key(self, phone: str) -> str:
        """What a phone number is counted under."""
        return self._fingerprints.of("sms_phone", phone)

    def address_key(self, address: str) -> str:
        """What an address is counted under; "" when it is unknown."""
        line = line_of(address)
        return self._fingerprints.of("sms_address", line) if line else ""

    async def check(self, session: AsyncSession, *, phone: str, address: str, now: datetime) -> None:
        """Raises OtpTooMany with the time to wait."""
        phone_key, address_key = self.phone_key(phone), self.address_key(address)
        await locked_guard(session, phone_key)
        await self._check_resend(session, phone_key, now)
        await self._check_windows(session, OtpChallenge.phone_key == phone_key, PHONE_WINDOWS, now)
        if address_key:
            await locked_guard(session, address_key)
            await self._check_windows(session, OtpChallenge.address_key == address_key, ADDRESS_WINDOWS, now)
        await self._check_all(session, now)

    async def _check_resend(self, session: AsyncSession, phone_key: str, now: datetime) -> None:
        # A code that was given has done its work: whoever has just logged in may pay without waiting.
        last = await session.scalar(
            select(OtpChallenge.sent_at)
            .where(OtpChallenge.phone_key == phone_key, OtpChallenge.status != "used")
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

    async def _check_windows(
        self, session: AsyncSession, whose: ColumnElement[bool], windows: Sequence[_Window], now: datetime
    ) -> None:
        for window in windows:
            times_max = self._times[window.term]
            since, until = _bounds(window, now)
            newest = (
                select(OtpChallenge.sent_at)
                .where(whose, OtpChallenge.sent_at > since)
                .order_by(OtpChallenge.sent_at.desc())
                .limit(times_max)
            )
            sent = (await session.scalars(newest)).all()
            if len(sent) < times_max:
                continue
            free_at = until or (sent[-1] + (now - since))
            wait_s = max(1, math.ceil((free_at - now).total_seconds()))
            raise OtpTooMany(
                window.term, retry_after_s=wait_s, customer_text=window.text.format(wait=wait_words(wait_s))
            )

    async def _check_all(self, session: AsyncSession, now: datetime) -> None:
        start, end = day_bounds(bank_date(now))
        statement = select(func.count()).select_from(OtpChallenge).where(OtpChallenge.sent_at >= start)
        if (await session.scalar(statement) or 0) < self._all_day_max:
            return
        log.error("code=otp_budget_spent the day's %d text messages are sent", self._all_day_max)
        raise OtpTooMany(
            "the bank's daily sending limit",
            retry_after_s=math.ceil((end - now).total_seconds()),
            customer_text="短信验证码今天暂时发不出来，请稍后再试，或者回复“转人工”。",
        )


def _bounds(window: _Window, now: datetime) -> tuple[datetime, datetime | None]:
    """Since when is counted, and, for a day, when counting begins anew."""
    if window.length is not None:
        return now - window.length, None
    start, end = day_bounds(bank_date(now))
    return start - timedelta(microseconds=1), end
