"""Setting, checking and releasing safety locks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.checked import checked
from banking_core.core import Core
from banking_core.locks.errors import AccountLocked, NothingLocked
from banking_core.locks.models import SecurityLock
from banking_core.locks.orders import LockGuard, LockHandler, UnlockHandler, scope_of

# Orders that the lock on transfers stops: money goes to somebody the customer names.
TRANSFER_KINDS = frozenset({"transfer"})

LARGE_TERM = "security.large_amount_yuan"
LARGE_FEN_DEFAULT = 10_000_00  # for a bank whose terms say nothing


@checked
class Locks:
    """A customer's own safety locks. Never commits."""

    def __init__(self, core: Core) -> None:
        self._clock = core.clock
        self._customers = core.customers
        self._log = core.identity.log
        self._large_fen = LARGE_FEN_DEFAULT
        if LARGE_TERM in core.terms:
            self._large_fen = core.terms.fen(LARGE_TERM)
        core.orders.register(LockHandler(self))
        core.orders.register(UnlockHandler(self))
        core.orders.add_guard(LockGuard(self))

    @property
    def large_fen(self) -> int:
        """From this amount on (fen) an order is a large one."""
        return self._large_fen

    async def active(self, session: AsyncSession, customer_id: str) -> Sequence[SecurityLock]:
        """The locks that are on, oldest first."""
        statement = (
            select(SecurityLock)
            .where(SecurityLock.customer_id == customer_id, SecurityLock.released_at.is_(None))
            .order_by(SecurityLock.locked_at, SecurityLock.scope)
        )
        return (await session.scalars(statement)).all()

    async def lock(self, session: AsyncSession, customer_id: str, scope: str) -> SecurityLock:
        """Puts a lock on; one that is on already is returned unchanged. Raises InvalidInput."""
        scope_of({"scope": scope})
        await self._customers.lock(session, customer_id)
        for lock in await self.active(session, customer_id):
            if lock.scope == scope:
                return lock
        lock = SecurityLock(
            customer_id=customer_id, scope=scope, locked_at=self._clock.now(), released_at=None
        )
        session.add(lock)
        await session.flush()
        await self._log.record(session, "lock_set", customer_id=customer_id, detail={"scope": scope})
        self._note(session, "lock.set", lock, before=False)
        return lock

    async def unlock(self, session: AsyncSession, customer_id: str) -> Sequence[SecurityLock]:
        """Takes every lock off and returns them; raises NothingLocked when there is none."""
        locks = await self.active(session, customer_id)
        if not locks:
            raise NothingLocked("no active lock")
        for lock in locks:
            lock.released_at = self._clock.now()
        await session.flush()
        scopes = [lock.scope for lock in locks]
        await self._log.record(session, "lock_released", customer_id=customer_id, detail={"scopes": scopes})
        for lock in locks:
            self._note(session, "lock.released", lock, before=True)
        return locks

    def _note(self, session: AsyncSession, action: str, lock: SecurityLock, *, before: bool) -> None:
        note(
            session,
            action,
            at=self._clock.now(),
            customer_id=lock.customer_id,
            object_kind="lock",
            object_id=lock.id,
            before={"scope": lock.scope, "locked": before},
            after={"scope": lock.scope, "locked": not before},
        )

    async def ensure_allowed(
        self, session: AsyncSession, customer_id: str, *, kind: str, amount_fen: int
    ) -> None:
        """Raises AccountLocked when a lock stops a money-moving order of this kind and amount (fen)."""
        stops = {
            "all": True,
            "transfers": kind in TRANSFER_KINDS,
            "large": amount_fen >= self._large_fen,
        }
        for lock in await self.active(session, customer_id):
            if stops[lock.scope]:
                raise AccountLocked(
                    f"lock {lock.scope} stops {kind}",
                    customer_text=f"您开启了安全锁（锁定{lock.scope_name}），这笔没有办理，钱没有动。要办理请先对我说“解锁”。",
                )
