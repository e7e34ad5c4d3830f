"""The port through which the bank asks for a person to call a customer. The desk fills it."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession


class Callbacks(Protocol):
    """Where call-back tasks for agents are filed, in the transaction of what they are about."""

    async def ask_for(self, session: AsyncSession, *, customer_id: str, phone: str, what: str) -> None:
        """`what` tells the agent in Chinese why, and what to make sure of."""
        ...


class NoCallbacks:
    """Files nothing; what the bank does without a desk. The security log and the audit trail still say why."""

    async def ask_for(self, session: AsyncSession, *, customer_id: str, phone: str, what: str) -> None:
        """Nothing."""
