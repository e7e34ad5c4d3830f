"""Visits and log-ins: an opaque random token with the channel, its hash with the bank.

A session begins when somebody arrives and becomes a log-in when a customer has proved who they are. A log-in ends
at its absolute time-out, after idle time, or when it is revoked; a visit without log-in knows only the first.
Methods never commit.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import AnyText, checked, checked_function
from banking_core.clock import Clock
from banking_core.configuration import Terms
from banking_core.identity.errors import SessionUnknown
from banking_core.identity.log import SecurityLog
from banking_core.identity.models import BankSession, Device
from banking_core.identity.origin import NOWHERE, Origin
from banking_core.settings import BankSettings
from banking_core.storage import new_id

TOKEN_BYTES = 32  # 256 bits
TOKEN_CHARS_MAX = 64
SEEN_EVERY = timedelta(minutes=1)  # so that not every message writes the row
KEPT_AFTER_END = timedelta(days=30)
MAX_TERM = "identity.sessions_max"
EndedWhy = Literal["logout", "revoked", "replaced", "security", "full"]


@dataclass(frozen=True)
class LoginView:
    """An open log-in as its customer sees it in the list."""

    id: str
    channel: str
    device_name: str
    since: datetime
    seen_at: datetime
    current: bool


@dataclass(frozen=True)
class LoginDone:
    """A finished log-in: who it is, with what device, and in Chinese what was proved."""

    customer_id: str
    device_id: str | None
    how: str


@checked_function
def hash_token(token: AnyText) -> str:
    """What is stored and looked up: a stolen table opens no session."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@checked
class Sessions:
    """Opening, finding, ending."""

    def __init__(
        self, *, clock: Clock, terms: Terms, settings: BankSettings, security_log: SecurityLog
    ) -> None:
        self._clock = clock
        self._log = security_log
        self._life = timedelta(hours=settings.session_ttl_h)
        self._idle = timedelta(minutes=settings.session_idle_min)
        self._sessions_max = terms.integer(MAX_TERM)

    async def open(
        self,
        session: AsyncSession,
        *,
        channel: str,
        login: LoginDone | None = None,
    ) -> tuple[str, BankSession]:
        """A new session and its token (the only time the token is seen); clears away what ended long ago."""
        now = self._clock.now()
        await self._clear_away(session, now)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = BankSession(
            id=new_id(),
            token_hash=hash_token(token),
            channel=channel,
            customer_id=login.customer_id if login else None,
            device_id=login.device_id if login else None,
            how=login.how if login else "",
            created_at=now,
            authenticated_at=now if login else None,
            seen_at=now,
            expires_at=now + self._life,
            renew_token=False,
        )
        session.add(row)
        await session.flush()
        if login is not None:
            await self._make_room(session, login.customer_id)
        return token, row

    async def find(self, session: AsyncSession, token: AnyText) -> BankSession | None:
        """The live session behind a token, or None."""
        if not token or len(token) > TOKEN_CHARS_MAX:
            return None
        row = await session.scalar(select(BankSession).where(BankSession.token_hash == hash_token(token)))
        return row if row is not None and self.is_live(row) else None

    async def live(self, session: AsyncSession, session_id: str) -> bool:
        """Whether the session is still good."""
        row = await session.get(BankSession, session_id, populate_existing=True)
        return row is not None and self.is_live(row)

    async def locked(self, session: AsyncSession, session_id: str) -> BankSession | None:
        """The live session by id, locked for change, or None."""
        statement = (
            select(BankSession)
            .where(BankSession.id == session_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        row = await session.scalar(statement)
        return row if row is not None and self.is_live(row) else None

    def is_live(self, row: BankSession) -> bool:
        """Neither ended, nor past its time, nor, logged in, idle for too long."""
        now = self._clock.now()
        if row.ended_at is not None or row.expires_at <= now:
            return False
        return row.customer_id is None or now < row.seen_at + self._idle

    async def touch(self, session: AsyncSession, session_id: str) -> None:
        """The person behind the session did something: idle time begins anew. Written at most once a minute."""
        now = self._clock.now()
        await session.execute(
            update(BankSession)
            .where(BankSession.id == session_id, BankSession.seen_at <= now - SEEN_EVERY)
            .values(seen_at=now)
        )

    async def log_in(self, session: AsyncSession, session_id: str, login: LoginDone) -> bool:
        """Makes an open visit a log-in without a new token; False when it is over or somebody else's log-in.

        Its life begins anew, and `renew_token` says that the channel owes it a new token.
        """
        row = await self.locked(session, session_id)
        if row is None or row.customer_id not in (None, login.customer_id):
            return False
        now = self._clock.now()
        row.customer_id, row.device_id, row.how = login.customer_id, login.device_id, login.how
        row.authenticated_at, row.seen_at, row.expires_at = now, now, now + self._life
        row.renew_token = True
        await session.flush()
        await self._make_room(session, login.customer_id)
        return True

    async def renew(self, session: AsyncSession, session_id: str) -> str | None:
        """A new token for a session that is owed one; the old token is dead. None when none is owed."""
        row = await self.locked(session, session_id)
        if row is None or not row.renew_token:
            return None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row.token_hash, row.renew_token = hash_token(token), False
        await session.flush()
        return token

    async def end(self, session: AsyncSession, session_id: str, why: EndedWhy) -> None:
        """Ends a session; its token opens nothing from now on. Ending twice changes nothing."""
        await self._end(session, BankSession.id == session_id, why)

    async def end_of_device(self, session: AsyncSession, device_id: str, why: EndedWhy) -> int:
        """Ends the log-ins of a device; returns how many."""
        return await self._end(session, BankSession.device_id == device_id, why)

    async def end_all(
        self,
        session: AsyncSession,
        customer_id: str,
        why: EndedWhy,
        *,
        but: str | None = None,
        origin: Origin = NOWHERE,
    ) -> int:
        """Ends every log-in of a customer, except the one named by `but`; returns how many."""
        whose = BankSession.customer_id == customer_id
        if but is not None:
            whose = whose & (BankSession.id != but)
        count = await self._end(session, whose, why)
        if count:
            detail = {"count": count, "why": why}
            await self._log.record(
                session, "sessions_ended", customer_id=customer_id, origin=origin, detail=detail
            )
        return count

    async def revoke(
        self, session: AsyncSession, customer_id: str, session_id: str, *, origin: Origin = NOWHERE
    ) -> None:
        """The customer ends one of their log-ins from the list; raises SessionUnknown."""
        row = await self.locked(session, session_id)
        if row is None or row.customer_id != customer_id:
            raise SessionUnknown("no such open log-in of this customer")
        await self.end(session, session_id, "revoked")
        await self._log.record(session, "session_revoked", customer_id=customer_id, origin=origin)

    async def open_logins(
        self, session: AsyncSession, customer_id: str, *, current: str = ""
    ) -> Sequence[LoginView]:
        """The customer's live log-ins, the one used last first; `current` is the asking session's id."""
        statement = (
            select(BankSession, Device.name)
            .outerjoin(Device, Device.id == BankSession.device_id)
            .where(BankSession.customer_id == customer_id, BankSession.ended_at.is_(None))
            .order_by(BankSession.seen_at.desc(), BankSession.id)
        )
        return [
            LoginView(
                id=row.id,
                channel=row.channel,
                device_name=name or "",
                since=row.authenticated_at or row.created_at,
                seen_at=row.seen_at,
                current=row.id == current,
            )
            for row, name in await session.execute(statement)
            if self.is_live(row)
        ]

    async def _clear_away(self, session: AsyncSession, now: datetime) -> None:
        """Visits that led to nothing go at once, log-ins some time after their end."""
        nobody = BankSession.customer_id.is_(None) & (BankSession.expires_at <= now)
        await session.execute(
            delete(BankSession).where(nobody | (BankSession.expires_at <= now - KEPT_AFTER_END))
        )

    async def _make_room(self, session: AsyncSession, customer_id: str) -> None:
        for view in (await self.open_logins(session, customer_id))[self._sessions_max :]:
            await self.end(session, view.id, "full")

    async def _end(self, session: AsyncSession, whose: ColumnElement[bool], why: EndedWhy) -> int:
        ended = await session.execute(
            update(BankSession)
            .where(whose, BankSession.ended_at.is_(None))
            .values(ended_at=self._clock.now(), ended_why=why)
            .returning(BankSession.id)
        )
        return len(ended.all())
