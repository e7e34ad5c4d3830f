"""Log-in with lock-out, and the sessions behind the cookie. One seat per agent: a new log-in ends the old.

A session without input for `idle_lock_s`, or locked by its agent, is still a seat, with its customers and presence, but
reads and does nothing until the password has been typed again.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.identity.sessions import hash_token
from banking_core.storage import Database, new_id
from desk.models import AgentLoginGuard, AgentSession, DeskAgent
from desk.passwords import AgentPasswords
from desk.roles import RIGHTS, Rights
from desk.rules import DeskRules

TOKEN_BYTES = 32  # 256 bits
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
PASSWORD_CHARS_MAX = 128
_USERNAME = re.compile(r"[a-z0-9][a-z0-9_.-]{1,31}")


@dataclass(frozen=True)
class Seat:
    """A logged-in agent."""

    session_id: str
    agent_id: str
    username: str
    display_name: str
    max_load: int
    role: str = "agent"
    team: str = ""
    locked: bool = False
    idle_s: int = 0  # since the agent's last input, to within the rules' `input_s`
    certifications: tuple[str, ...] = ()

    @property
    def rights(self) -> Rights:
        """What the role may do."""
        return RIGHTS[self.role]


@dataclass(frozen=True)
class LoginOutcome:
    """ok carries the token (the only time it is seen) and the seat; wrong and locked say what comes next."""

    kind: Literal["ok", "wrong", "locked"]
    token: str = ""
    seat: Seat | None = None
    tries_left: int = 0
    locked_until: datetime | None = None

    def __repr__(self) -> str:
        """Never shows the token."""
        return f"LoginOutcome({self.kind!r}, seat={self.seat!r}, tries_left={self.tries_left})"


class Logins:
    """Checks passwords and keeps sessions."""

    def __init__(self, clock: Clock, rules: DeskRules, passwords: AgentPasswords) -> None:
        self._clock, self._rules, self._passwords = clock, rules, passwords

    async def login(self, db: Database, username: str, password: str) -> LoginOutcome:
        """Checks the password outside any transaction, so that slow hashing holds no lock; books the result.

        Guesses made at the same time are booked one after the other: once the name is locked, even a right
        one is refused.
        """
        return await self._check(db, username, password, None)

    async def unlock(self, db: Database, seat: Seat, password: str) -> LoginOutcome:
        """Checks the password of whoever sits here as `login` does; the session goes on, with the token it has."""
        return await self._check(db, seat.username, password, seat.session_id)

    async def _check(
        self, db: Database, username: str, password: str, session_id: str | None
    ) -> LoginOutcome:
        username = username.strip().lower()
        known_shape = _USERNAME.fullmatch(username) is not None and len(password) <= PASSWORD_CHARS_MAX
        agent_id: str | None = None
        password_hash: str | None = None
        if known_shape:
            async with db.snapshot() as session:
                guard = await session.get(AgentLoginGuard, username)
                if guard is not None and self._is_locked(guard):
                    return LoginOutcome("locked", locked_until=guard.locked_until)
                agent_id, password_hash = await _credentials(session, username)
        fits = await self._passwords.verify(password_hash, password[:PASSWORD_CHARS_MAX])
        if not known_shape:
            return LoginOutcome("wrong", tries_left=self._rules.wrong_tries_max - 1)
        async with db.transaction() as session:
            return await self._book(session, username, agent_id if fits else None, session_id)

    async def lock(self, session: AsyncSession, session_id: str) -> None:
        """Reads and does nothing from now on."""
        statement = update(AgentSession).where(AgentSession.id == session_id)
        await session.execute(statement.values(locked_at=self._clock.now()))

    async def used(self, session: AsyncSession, session_id: str) -> None:
        """The agent has done something."""
        statement = update(AgentSession).where(AgentSession.id == session_id)
        await session.execute(statement.values(used_at=self._clock.now()))

    async def find(self, session: AsyncSession, token: str) -> Seat | None:
        """The seat behind a token, or None."""
        if not _TOKEN.fullmatch(token):
            return None
        return await self._seat(session, AgentSession.token_hash == hash_token(token))

    async def again(self, session: AsyncSession, session_id: str) -> Seat | None:
        """The seat of a session found earlier, as it is now; None when the session has ended."""
        return await self._seat(session, AgentSession.id == session_id)

    async def logout(self, session: AsyncSession, session_id: str) -> None:
        """Ends the session; its token opens nothing from now on."""
        await session.execute(delete(AgentSession).where(AgentSession.id == session_id))

    async def _seat(self, session: AsyncSession, condition: object) -> Seat | None:
        statement = (
            select(AgentSession, DeskAgent)
            .join(DeskAgent, DeskAgent.id == AgentSession.agent_id)
            .where(condition, AgentSession.expires_at > self._clock.now(), DeskAgent.active)  # type: ignore[arg-type]
        )
        row = (await session.execute(statement)).one_or_none()
        if row is None:
            return None
        held, agent = row
        idle_s = int((self._clock.now() - held.used_at).total_seconds())
        locked = held.locked_at is not None or idle_s >= self._rules.idle_lock_s
        return replace(_seat_of(held.id, agent), locked=locked, idle_s=idle_s)

    async def _book(
        self, session: AsyncSession, username: str, agent_id: str | None, session_id: str | None
    ) -> LoginOutcome:
        guard = await self._locked_guard(session, username)
        if self._is_locked(guard):
            return LoginOutcome("locked", locked_until=guard.locked_until)
        agent = await session.get(DeskAgent, agent_id) if agent_id else None
        if agent is None or not agent.active:
            return self._count_wrong(guard)
        guard.wrong_count = guard.lock_count = 0
        guard.locked_until = None
        if session_id is not None:
            statement = update(AgentSession).where(
                AgentSession.id == session_id, AgentSession.agent_id == agent.id
            )
            await session.execute(statement.values(locked_at=None, used_at=self._clock.now()))
            return LoginOutcome("ok", seat=await self.again(session, session_id))
        token, row = await self._open(session, agent.id)
        return LoginOutcome("ok", token=token, seat=_seat_of(row.id, agent))

    def _count_wrong(self, guard: AgentLoginGuard) -> LoginOutcome:
        guard.wrong_count += 1
        if guard.wrong_count < self._rules.wrong_tries_max:
            return LoginOutcome("wrong", tries_left=self._rules.wrong_tries_max - guard.wrong_count)
        delay_s = min(self._rules.lock_s * 2 ** min(guard.lock_count, 20), self._rules.lock_s_max)
        guard.wrong_count = 0
        guard.lock_count += 1
        guard.locked_until = self._clock.now() + timedelta(seconds=delay_s)
        return LoginOutcome("locked", locked_until=guard.locked_until)

    async def _open(self, session: AsyncSession, agent_id: str) -> tuple[str, AgentSession]:
        now = self._clock.now()
        stale = (AgentSession.agent_id == agent_id) | (AgentSession.expires_at <= now)
        await session.execute(delete(AgentSession).where(stale))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = AgentSession(
            id=new_id(),
            agent_id=agent_id,
            token_hash=hash_token(token),
            created_at=now,
            expires_at=now + timedelta(hours=self._rules.session_ttl_h),
            used_at=now,
        )
        session.add(row)
        await session.flush()
        return token, row

    async def _locked_guard(self, session: AsyncSession, username: str) -> AgentLoginGuard:
        guard = await session.get(AgentLoginGuard, username, with_for_update=True)
        if guard is not None:
            return guard
        try:
            async with session.begin_nested():
                session.add(AgentLoginGuard(username=username, wrong_count=0, lock_count=0))
        except IntegrityError:
            pass  # another try on the same name wrote it first
        guard = await session.get(AgentLoginGuard, username, with_for_update=True)
        assert guard is not None, "the guard was written above"
        return guard

    def _is_locked(self, guard: AgentLoginGuard) -> bool:
        return guard.locked_until is not None and guard.locked_until > self._clock.now()


async def _credentials(session: AsyncSession, username: str) -> tuple[str | None, str | None]:
    """Id and password hash of the agent with this user name."""
    statement = select(DeskAgent.id, DeskAgent.password_hash).where(DeskAgent.username == username)
    row = (await session.execute(statement)).one_or_none()
    return (row[0], row[1]) if row is not None else (None, None)


def _seat_of(session_id: str, agent: DeskAgent) -> Seat:
    return Seat(
        session_id,
        agent.id,
        agent.username,
        agent.display_name,
        agent.max_load,
        agent.role,
        agent.team,
        certifications=tuple(agent.certifications),
    )
