"""Log-ins under way, when what they began with no longer holds."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity.models import LoginAttempt


async def refuse_attempts(session: AsyncSession, customer_id: str) -> None:
    """A new password or a freeze: no log-in begun before it goes on.

    Waits for one that is just being finished; end the sessions after this, so that its session ends too. Lock order:
    the guard of the phone number, log-ins under way, the customer.
    """
    await session.execute(
        update(LoginAttempt)
        .where(LoginAttempt.customer_id == customer_id, LoginAttempt.status == "open")
        .values(status="refused")
    )
