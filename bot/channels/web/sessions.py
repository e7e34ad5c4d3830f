"""Browser sessions: the bank's session behind a cookie, with the conversation of the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity import BankSession, LoginDone, Sessions
from bot.channels.web.models import WebVisit

COOKIE_NAME = "zg_session"
CHANNEL = "web"
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True)
class WebSession:
    """A live browser session as it was read; `how` names what the customer proved."""

    id: str
    conversation_id: str
    customer_id: str | None
    how: str
    expires_at: datetime


async def create_session(
    session: AsyncSession,
    sessions: Sessions,
    *,
    conversation_id: str,
    login: LoginDone | None = None,
    channel: str = CHANNEL,
) -> tuple[str, WebSession]:
    """A new session and its token (the only time the token is seen), of a customer after a log-in."""
    token, row = await sessions.open(session, channel=channel, login=login)
    visit = WebVisit(session_id=row.id, conversation_id=conversation_id)
    session.add(visit)
    await session.flush()
    return token, _view(row, visit)


async def find_session(session: AsyncSession, sessions: Sessions, token: str) -> WebSession | None:
    """The live session behind a token, or None."""
    if not TOKEN.fullmatch(token):
        return None
    row = await sessions.find(session, token)
    visit = await session.get(WebVisit, row.id) if row is not None else None
    return _view(row, visit) if row is not None and visit is not None else None


async def locked_visit(session: AsyncSession, session_id: str) -> WebVisit | None:
    """The page's row, locked for change, or None."""
    statement = (
        select(WebVisit)
        .where(WebVisit.session_id == session_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return await session.scalar(statement)


def _view(row: BankSession, visit: WebVisit) -> WebSession:
    return WebSession(row.id, visit.conversation_id, row.customer_id, row.how, row.expires_at)
