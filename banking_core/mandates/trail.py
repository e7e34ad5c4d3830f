"""What becomes of a mandate, for the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.mandates.models import Mandate


def note_status(session: AsyncSession, mandate: Mandate, before: str | None, at: datetime) -> None:
    """Notes that a mandate was made (`before` None) or has another status than before; nothing otherwise."""
    if mandate.status == before:
        return
    after: dict[str, Any] = {"status": mandate.status}
    if before is None:
        after |= {"kind": mandate.kind, "amount_fen": mandate.amount_fen, "frequency": mandate.frequency}
    note(
        session,
        "mandate.made" if before is None else f"mandate.{mandate.status}",
        at=at,
        customer_id=mandate.customer_id,
        object_kind="mandate",
        object_id=mandate.number,
        before={"status": before} if before else None,
        after=after,
    )
