"""Logging in: password, then a code by SMS; the token is rotated the moment the code is right."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from banking_core.clock import BANK_ZONE
from banking_core.identity import LOGIN, Origin
from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.errors import BadRequest, LoginRefused, LoginStale, NoSession
from bot.channels.web.frames import is_clean
from bot.channels.web.ports import OtpOutcomePort, OtpSentPort, PasswordOutcomePort
from bot.channels.web.sessions import (
    WebSession,
    create_session,
    delete_session,
    locked_session,
    pending_customer_id,
    remember_pending_login,
)

HOW = "密码+短信验证码"
PASSWORD_CHARS_MAX = 128
_PHONE = re.compile(r"1[0-9]{10}")
_CODE = re.compile(r"[0-9]{6}")
_CHALLENGE_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class LoginService:
    """The two steps of the log-in, each in one database transaction."""

    def __init__(self, deps: WebDependencies) -> None:
        self._deps = deps

    async def start(self, web_session: WebSession, body: dict[str, Any], origin: Origin) -> dict[str, Any]:
        """Checks phone and password and sends a code; raises LoginRefused, BadRequest or a BankError."""
        phone, password = _read_credentials(body)
        bank, now = self._deps.bank, self._deps.clock.now()
        sent: OtpSentPort | None = None
        async with self._deps.db.transaction() as session:
            outcome = await bank.identity.passwords.verify(session, phone, password)
            if outcome.kind == "ok" and outcome.customer_id is not None:
                row = await self._locked(session, web_session)
                sent = await bank.identity.otp.send(
                    session, customer_id=outcome.customer_id, phone=phone, purpose=LOGIN, origin=origin
                )
                remember_pending_login(
                    row, customer_id=outcome.customer_id, challenge_id=sent.challenge_id, now=now
                )
        if sent is None:  # raised after the commit: the bank has counted the wrong try
            raise _password_refusal(outcome, now)
        return self._sent_body(sent)

    async def resend(self, web_session: WebSession, origin: Origin) -> dict[str, Any]:
        """Sends another code to whoever gave the password here; raises LoginStale or a BankError."""
        bank, now = self._deps.bank, self._deps.clock.now()
        async with self._deps.db.transaction() as session:
            row = await self._locked(session, web_session)
            customer_id = pending_customer_id(row, now)
            if customer_id is None:
                raise LoginStale()
            customer = await bank.customers.get(session, customer_id)
            sent = await bank.identity.otp.send(
                session, customer_id=customer_id, phone=customer.phone, purpose=LOGIN, origin=origin
            )
            row.pending_challenge_id = sent.challenge_id
        return self._sent_body(sent)

    async def finish(
        self, web_session: WebSession, body: dict[str, Any], origin: Origin
    ) -> tuple[str, WebSession]:
        """Checks the code, ends the old session and gives a new token and session.

        Raises LoginRefused, LoginStale or BadRequest. The conversation is taken along.
        """
        challenge_id, code = _read_code(body)
        bank, now = self._deps.bank, self._deps.clock.now()
        rotated: tuple[str, WebSession] | None = None
        async with self._deps.db.transaction() as session:
            row = await self._locked(session, web_session)
            customer_id = pending_customer_id(row, now)
            if customer_id is None or row.pending_challenge_id != challenge_id:
                raise LoginStale()
            outcome = await bank.identity.otp.verify(
                session, challenge_id, code, customer_id=customer_id, purpose=LOGIN, origin=origin
            )
            if outcome.kind == "ok":
                conversation_id = row.conversation_id
                await delete_session(session, row.id)
                rotated = await create_session(
                    session,
                    conversation_id=conversation_id,
                    now=now,
                    ttl_h=self._deps.session_ttl_h,
                    customer_id=customer_id,
                )
        if rotated is None:
            raise _code_refusal(outcome)
        return rotated

    async def attach(self, web_session: WebSession) -> WebSession:
        """Sees to it that a logged-in session's conversation is its customer's; safe to run again.

        A conversation that somebody else used in this browser is left for a new one.
        """
        hub, customer_id = self._deps.hub, web_session.customer_id
        if customer_id is None:
            return web_session
        if (await hub.status(web_session.conversation_id)).customer_id == customer_id:
            return web_session
        conversation_id = await hub.attach_customer(web_session.conversation_id, customer_id, how=HOW)
        if conversation_id == web_session.conversation_id:
            return web_session
        async with self._deps.db.transaction() as session:
            row = await self._locked(session, web_session)
            row.conversation_id = conversation_id
        return row

    async def _locked(self, session: Any, web_session: WebSession) -> WebSession:
        row = await locked_session(session, web_session.id, self._deps.clock.now())
        if row is None:
            raise NoSession()
        return row

    def _sent_body(self, sent: OtpSentPort) -> dict[str, Any]:
        return {
            "challenge_id": sent.challenge_id,
            "masked_phone": sent.masked_phone,
            "expires_at": sent.expires_at.isoformat(),
            "valid_s": max(0, math.ceil((sent.expires_at - self._deps.clock.now()).total_seconds())),
            "resend_after_s": sent.resend_after_s,
        }


def _read_credentials(body: dict[str, Any]) -> tuple[str, str]:
    phone, password = body.get("phone"), body.get("password")
    phone = re.sub(r"[\s-]", "", phone) if isinstance(phone, str) else ""
    if not _PHONE.fullmatch(phone):
        raise BadRequest("请输入11位手机号。", field="phone")
    if not isinstance(password, str) or not password or not is_clean(password):
        raise BadRequest("请输入登录密码。", field="password")
    if len(password) > PASSWORD_CHARS_MAX:
        raise BadRequest(f"密码最多{PASSWORD_CHARS_MAX}位，请核对。", field="password")
    return phone, password


def _read_code(body: dict[str, Any]) -> tuple[str, str]:
    challenge_id, code = body.get("challenge_id"), body.get("code")
    if not isinstance(challenge_id, str) or not _CHALLENGE_ID.fullmatch(challenge_id):
        raise LoginStale()
    if not isinstance(code, str) or not _CODE.fullmatch(code.strip()):
        raise BadRequest("请输入6位数字验证码。", field="code")
    return challenge_id, code.strip()


def _password_refusal(outcome: PasswordOutcomePort, now: datetime) -> LoginRefused:
    if outcome.kind == "locked" and outcome.locked_until is not None:
        minutes = max(1, math.ceil((outcome.locked_until - now).total_seconds() / 60))
        at = outcome.locked_until.astimezone(BANK_ZONE).strftime("%H:%M")
        return LoginRefused(
            f"密码输错次数太多，登录已暂时锁定，请在{at}以后再试（约{minutes}分钟）。",
            locked_until=outcome.locked_until.isoformat(),
        )
    if outcome.tries_left is not None:
        return LoginRefused(
            f"手机号或密码不正确，还可以再试{outcome.tries_left}次。", tries_left=outcome.tries_left
        )
    return LoginRefused("手机号或密码不正确，请核对后再试。")


def _code_refusal(outcome: OtpOutcomePort) -> LoginRefused:
    if outcome.kind == "wrong" and outcome.tries_left:
        return LoginRefused(
            f"验证码不正确，还可以再试{outcome.tries_left}次。", kind="wrong", tries_left=outcome.tries_left
        )
    texts = {
        "expired": "验证码已过期，请重新获取。",
        "used": "这个验证码已经用过了，请重新获取。",
    }
    text = texts.get(outcome.kind, "验证码输错次数太多，已作废，请重新获取。")
    return LoginRefused(text, kind=outcome.kind)
