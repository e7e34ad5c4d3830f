"""Logging in over HTTP: password, then what else the bank asks for; the token is new the moment it is done."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import BANK_ZONE
from banking_core.identity import LoginDone, LoginNeeds, LoginRefusal, LoginResult, LoginStale, Origin
from banking_core.restrictions import CustomerFrozen
from bot.channels.web.dependencies import WebDependencies
from bot.channels.web.errors import LoginRefused, NoSession
from bot.channels.web.models import WebVisit
from bot.channels.web.sessions import CHANNEL, WebSession, create_session, locked_visit
from bot.surfaces.bodies import is_storable
from bot.surfaces.errors import BadRequest

PASSWORD_CHARS_MAX = 128
SECRET_CHARS_MAX = 32
_PHONE = re.compile(r"1[0-9]{10}")
_ATTEMPT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
# A code, an app's code, a recovery code, the end of an ID number.
_SECRET = re.compile(r"[0-9]{6}|[0-9A-Za-z]{5}[- ]?[0-9A-Za-z]{5}|[0-9]{3}[0-9Xx]")
Opened = tuple[str, WebSession]  # the new token and the session behind it


class LoginService:
    """The steps of the log-in, each in one database transaction."""

    def __init__(self, deps: WebDependencies, *, channel: str = CHANNEL) -> None:
        self._deps, self._channel = deps, channel
        self._logins = deps.bank.identity.logins

    async def start(
        self, web_session: WebSession, body: dict[str, Any], origin: Origin
    ) -> dict[str, Any] | Opened:
        """Checks phone and password; a body that says what is needed next, or the new session.

        Raises LoginRefused, BadRequest or a BankError.
        """
        phone, password = _read_credentials(body)
        trust_device = body.get("trust_device") is True
        async with self._deps.db.transaction() as session:
            visit = await self._locked(session, web_session)
            result = await self._logins.start(
                session, phone, password, origin=origin, trust_device=trust_device
            )
            opened = await self._go_on(session, visit, result)
        return self._answer(result, opened)

    async def resend(self, web_session: WebSession, origin: Origin) -> dict[str, Any]:
        """Sends another code to whoever gave the password here; raises LoginStale or a BankError."""
        async with self._deps.db.transaction() as session:
            visit = await self._locked(session, web_session)
            if visit.attempt_id is None:
                raise LoginStale("no log-in under way in this browser")
            result = await self._logins.resend(session, visit.attempt_id, origin=origin)
        return self._next_body(result)

    async def finish(
        self, web_session: WebSession, body: dict[str, Any], origin: Origin
    ) -> dict[str, Any] | Opened:
        """Checks the next proof; like `start`. The conversation is taken along into the new session."""
        attempt_id, secret = _read_proof(body)
        async with self._deps.db.transaction() as session:
            visit = await self._locked(session, web_session)
            if visit.attempt_id != attempt_id:
                raise LoginStale("another log-in, or none, is under way in this browser")
            result = await self._logins.give(session, attempt_id, secret, origin=origin)
            opened = await self._go_on(session, visit, result)
        return self._answer(result, opened)

    async def attach(self, web_session: WebSession) -> WebSession:
        """Sees to it that a logged-in session's conversation is its customer's; safe to run again.

        A conversation that somebody else used in this browser is left for a new one.
        """
        hub, customer_id = self._deps.hub, web_session.customer_id
        if customer_id is None:
            return web_session
        if (await hub.status(web_session.conversation_id)).customer_id == customer_id:
            return web_session
        conversation_id = await hub.attach_customer(
            web_session.conversation_id, customer_id, how=web_session.how
        )
        if conversation_id == web_session.conversation_id:
            return web_session
        async with self._deps.db.transaction() as session:
            visit = await self._locked(session, web_session)
            visit.conversation_id = conversation_id
        return replace(web_session, conversation_id=conversation_id)

    async def _go_on(self, session: AsyncSession, visit: WebVisit, result: LoginResult) -> Opened | None:
        """Remembers what is under way in this browser, or ends its session for a new one."""
        if isinstance(result, LoginRefusal):
            return None
        if isinstance(result, LoginNeeds):
            visit.attempt_id = result.attempt_id
            return None
        sessions = self._deps.bank.identity.sessions
        await sessions.end(session, visit.session_id, "replaced")
        return await create_session(
            session, sessions, conversation_id=visit.conversation_id, login=result, channel=self._channel
        )

    def _answer(self, result: LoginResult, opened: Opened | None) -> dict[str, Any] | Opened:
        """Only after the commit: the bank has counted a wrong try."""
        if opened is not None:
            return opened
        if isinstance(result, LoginRefusal):
            raise refusal(result, self._deps.clock.now())
        assert not isinstance(result, LoginDone)
        return self._next_body(result)

    def _next_body(self, needs: LoginNeeds) -> dict[str, Any]:
        if needs.not_sent is not None:
            raise needs.not_sent
        body: dict[str, Any] = {"challenge_id": needs.attempt_id, "needs": needs.need}
        sent = needs.sent
        if sent is not None:
            valid_s = math.ceil((sent.expires_at - self._deps.clock.now()).total_seconds())
            body |= {
                "masked_phone": sent.masked_phone,
                "expires_at": sent.expires_at.isoformat(),
                "valid_s": max(0, valid_s),
                "resend_after_s": sent.resend_after_s,
            }
        return body

    async def _locked(self, session: AsyncSession, web_session: WebSession) -> WebVisit:
        live = await self._deps.bank.identity.sessions.locked(session, web_session.id)
        visit = await locked_visit(session, web_session.id) if live is not None else None
        if visit is None:
            raise NoSession()
        return visit


def _read_credentials(body: dict[str, Any]) -> tuple[str, str]:
    phone, password = body.get("phone"), body.get("password")
    phone = re.sub(r"[\s-]", "", phone) if isinstance(phone, str) else ""
    if not _PHONE.fullmatch(phone):
        raise BadRequest("请输入11位手机号。", field="phone")
    if not isinstance(password, str) or not password or not is_storable(password):
        raise BadRequest("请输入登录密码。", field="password")
    if len(password) > PASSWORD_CHARS_MAX:
        raise BadRequest(f"密码最多{PASSWORD_CHARS_MAX}位，请核对。", field="password")
    return phone, password


def _read_proof(body: dict[str, Any]) -> tuple[str, str]:
    attempt_id, code = body.get("challenge_id"), body.get("code")
    if not isinstance(attempt_id, str) or not _ATTEMPT_ID.fullmatch(attempt_id):
        raise LoginStale("no attempt named")
    secret = code.strip() if isinstance(code, str) else ""
    if not _SECRET.fullmatch(secret):
        raise BadRequest("输入的内容格式不对，请核对后再试。", field="code")
    return attempt_id, secret


def refusal(result: LoginRefusal, now: datetime) -> LoginRefused:
    """What the page is told."""
    if result.kind == "locked" and result.locked_until is not None:
        return LoginRefused(_locked_text(result, now), locked_until=result.locked_until.isoformat())
    if result.kind == "frozen":
        return LoginRefused(CustomerFrozen.default_customer_text, kind="frozen")
    if result.proof == "password":
        text = f"手机号或密码不正确，还可以再试{result.tries_left}次。"
        return LoginRefused(text, tries_left=result.tries_left)
    name = {"otp": "验证码", "totp": "动态口令", "id_tail": "证件号码后四位"}[result.proof]
    if result.kind == "wrong" and result.tries_left:
        text = f"{name}不正确，还可以再试{result.tries_left}次。"
        return LoginRefused(text, kind="wrong", tries_left=result.tries_left)
    texts = {
        "expired": f"{name}已过期，请重新获取。",
        "used": f"这个{name}已经用过了，请{'重新获取' if result.proof == 'otp' else '等下一个再输入'}。",
    }
    return LoginRefused(texts.get(result.kind, f"{name}输错次数太多，已作废，请重新获取。"), kind=result.kind)


def _locked_text(result: LoginRefusal, now: datetime) -> str:
    assert result.locked_until is not None
    minutes = max(1, math.ceil((result.locked_until - now).total_seconds() / 60))
    at = result.locked_until.astimezone(BANK_ZONE).strftime("%H:%M")
    until = f"请在{at}以后再试（约{minutes}分钟）"
    if result.proof == "totp":
        return f"动态口令输错次数太多，已暂时锁定，{until}，或者用短信验证码。"
    if result.proof == "id_tail":
        return f"证件号码后四位输错次数太多，登录已暂时锁定，{until}，或者回到聊天说“转人工”。"
    if result.locked_what == "address":
        return f"您所在的网络登录失败次数太多，已暂时锁定，{until}，或者换一个网络。"
    return f"密码输错次数太多，登录已暂时锁定，{until}。"
