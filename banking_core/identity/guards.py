"""Rows to count under: one per phone number, address or other subject, known to the bank or not."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity.models import AttemptGuard
from banking_core.inserts import insert_if_absent


async def locked_guard(session: AsyncSession, key: str) -> AttemptGuard:
    """The row of a fingerprint, locked until the transaction ends, so that attempts are counted one by one."""
    await insert_if_absent(
        session, AttemptGuard, {"key": key, "wrong_count": 0, "lock_count": 0}, unique="key"
    )
    statement = (
        select(AttemptGuard)
        .where(AttemptGuard.key == key)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one()


async def guard_of(session: AsyncSession, key: str) -> AttemptGuard | None:
    """The row as it is committed now, unlocked; None when nothing was counted yet."""
    statement = select(AttemptGuard).where(AttemptGuard.key == key).execution_options(populate_existing=True)
    return await session.scalar(statement)
