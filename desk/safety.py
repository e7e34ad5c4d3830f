"""What an agent who has called a customer settles: it was the customer, or it was somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.core import Core


class Safety(Protocol):
    """The desk's hand on what the bank laid on customers after something odd."""

    async def restricted(self, session: AsyncSession, customer_ids: Sequence[str]) -> frozenset[str]:
        """Those of them who may move no money until somebody has made sure who they are."""
        ...

    async def settle(
        self, session: AsyncSession, customer_id: str, *, is_owner: bool, agent_id: str, grounds: str
    ) -> None:
        """Lifts every restriction, or freezes the customer; `grounds` is what the agent wrote down."""
        ...


class BankSafety:
    """`Safety` of the bank."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def restricted(self, session: AsyncSession, customer_ids: Sequence[str]) -> frozenset[str]:
        """See `Safety`."""
        return await self._core.restrictions.barred(session, customer_ids)

    async def settle(
        self, session: AsyncSession, customer_id: str, *, is_owner: bool, agent_id: str, grounds: str
    ) -> None:
        """See `Safety`."""
        takeovers = self._core.identity.takeovers
        if is_owner:
            await takeovers.release(session, customer_id, by=f"agent:{agent_id}", grounds=grounds)
        else:
            await takeovers.freeze(session, customer_id, reason="not the owner, says an agent who called")


class NoSafety:
    """`Safety` of a desk without a bank: nobody is restricted, and nothing can be settled."""

    async def restricted(self, session: AsyncSession, customer_ids: Sequence[str]) -> frozenset[str]:
        """Nobody."""
        return frozenset()

    async def settle(
        self, session: AsyncSession, customer_id: str, *, is_owner: bool, agent_id: str, grounds: str
    ) -> None:
        """Nothing."""
