"""Browser sessions: a random token in a cookie, only its SHA-256 in the table `web_sessions`."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity.sessions import hash_token
from banking_core.storage import new_id
from bot.channels.web.models import WebSession

__all__ = [
    "COOKIE_NAME",
    "WebSession",
    "create_session",
    "delete_session",
    "find_session",
    "live_session",
    "locked_session",
    "pending_customer_id",
    "remember_pending_login",
]
COOKIE_NAME = "zg_session"
TOKEN_BYTES = 32  # 256 bits
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
PENDING_LOGIN_S = 600  # a verified password waits this long for its code


async def create_session(
    session: AsyncSession,
    *,
    conversation_id: str,
    now: datetime,
    ttl_h: float,
    customer_id: str | None = None,
) -> tuple[str, WebSession]:
    """A new session and its token (the only time the token is seen); clears away expired ones."""
    await session.execute(delete(WebSession).where(WebSession.expires_at <= now))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = WebSession(
        id=new_id(),
        token_hash=hash_token(token),
        conversation_id=conversation_id,
        customer_id=customer_id,
        created_at=now,
        authenticated_at=now if customer_id else None,
        expires_at=now + timedelta(hours=ttl_h),
    )
    session.add(row)
    await session.flush()
    return token, row


async def find_session(session: AsyncSession, token: str, now: datetime) -> WebSession | None:
    """The live session behind a token, or None."""
    if not TOKEN.fullmatch(token):
        return None
    statement = select(WebSession).where(WebSession.token_hash == hash_token(token))
    row = (await session.execute(statement)).scalar_one_or_none()
    return row if row is not None and row.expires_at > now else None


async def live_session(session: AsyncSession, session_id: str, now: datetime) -> bool:
    """Whether the session still exists and has not expired."""
    statement = select(WebSession.expires_at).where(WebSession.id == session_id)
    expires_at = (await session.execute(statement)).scalar_one_or_none()
    return expires_at is not None and expires_at > now


async def locked_session(session: AsyncSession, session_id: str, now: datetime) -> WebSession | None:
    """The live session by id, locked for change, or None."""
    statement = select(WebSession).where(WebSession.id == session_id).with_for_update()
    row = (await session.execute(statement)).scalar_one_or_none()
    return row if row is not None and row.expires_at > now else None


async def delete_session(session: AsyncSession, session_id: str) -> None:
    """Ends a session; its token opens nothing from now on."""
    await session.execute(delete(WebSession).where(WebSession.id == session_id))


def remember_pending_login(row: WebSession, *, customer_id: str, challenge_id: str, now: datetime) -> None:
    """Notes that this browser gave the right password and that a code was sent."""
    row.pending_customer_id = customer_id
    row.pending_challenge_id = challenge_id
    row.pending_until = now + timedelta(seconds=PENDING_LOGIN_S)


def pending_customer_id(row: WebSession, now: datetime) -> str | None:
    """Whose code this browser waits for, unless too long ago."""
    if row.pending_until is None or row.pending_until <= now:
        return None
    return row.pending_customer_id
