"""Orders that set and release safety locks, and the guard that applies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.customers.models import Customer
from banking_core.errors import InvalidInput
from banking_core.locks.errors import NothingLocked
from banking_core.locks.models import SCOPE_NAMES
from banking_core.money_text import fen_to_yuan_text
from banking_core.orders.models import Order
from banking_core.orders.types import Executed, GuardSubject, Quote

if TYPE_CHECKING:
    from banking_core.locks.service import Locks


class LockHandler:
    """`security_lock` {scope}: stops money from leaving, at once and without a code."""

    kind = "security_lock"

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises InvalidInput on an unknown scope."""
        scope = scope_of(body)
        effects = {
            "all": "转账、缴费、充值都会被拒绝，转入不受影响",
            "transfers": "转账会被拒绝，缴费、充值不受影响",
            "large": f"{fen_to_yuan_text(self._locks.large_fen)}及以上的转账、缴费、充值会被拒绝",
        }
        facts = (("业务", "开启安全锁"), ("锁定范围", SCOPE_NAMES[scope]), ("效果", effects[scope]))
        return Quote(amount_fen=0, fee_fen=0, facts=facts, step_up="none", body={"scope": scope})

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Sets the lock; one that is on already stays as it is."""
        lock = await self._locks.lock(session, order.customer_id, order.body["scope"])
        return Executed((("安全锁", "已开启"), ("锁定范围", lock.scope_name), ("解锁方式", "对我说“解锁”")))


class UnlockHandler:
    """`security_unlock` {}: takes every lock off, after a code."""

    kind = "security_unlock"

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises NothingLocked when there is nothing to take off."""
        locks = await self._locks.active(session, customer.id)
        if not locks:
            raise NothingLocked("no active lock")
        scopes = "、".join(lock.scope_name for lock in locks)
        facts = (("业务", "解除安全锁"), ("解除范围", scopes), ("生效", "立即生效"))
        return Quote(amount_fen=0, fee_fen=0, facts=facts, step_up="otp", body={})

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Releases every lock that is on."""
        locks = await self._locks.unlock(session, order.customer_id)
        return Executed((("安全锁", "已解除"), ("解除范围", "、".join(lock.scope_name for lock in locks))))


class LockGuard:
    """Refuses orders that a customer's own lock stops."""

    def __init__(self, locks: Locks) -> None:
        self._locks = locks

    async def check(self, session: AsyncSession, subject: GuardSubject) -> None:
        """Raises AccountLocked."""
        if subject.moves_money:
            await self._locks.ensure_allowed(
                session, subject.customer_id, kind=subject.kind, amount_fen=subject.amount_fen
            )


def scope_of(body: Mapping[str, Any]) -> str:
    """The lock scope of an order body; raises InvalidInput."""
    scope = body.get("scope")
    if not isinstance(scope, str) or scope not in SCOPE_NAMES:
        raise InvalidInput(
            "unknown lock scope",
            field="scope",
            customer_text="可以锁定全部交易、只锁转账，或者只锁大额交易，请告诉我是哪一种。",
        )
    return scope
