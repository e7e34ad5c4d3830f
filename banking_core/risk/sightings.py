"""Who was seen with which payee account, device or network, so that what many customers share can be noticed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.risk.models import RiskSighting


async def see(session: AsyncSession, customer_id: str, keys: Mapping[str, str], at: datetime) -> None:
    """Notes the sightings of one customer; `keys` is kind to fingerprint, empty ones are left out."""
    rows = [
        {"kind": kind, "key": key, "customer_id": customer_id, "last_at": at}
        for kind, key in sorted(keys.items())
        if key
    ]
    if not rows:
        return
    connection = await session.connection()
    await connection.execute(_UPSERT[connection.dialect.name], rows)


def _upsert(insert: Any) -> Any:
    """The same words in both dialects, which have no common type."""
    statement = insert(RiskSighting)
    return statement.on_conflict_do_update(
        index_elements=["kind", "key", "customer_id"], set_={"last_at": statement.excluded.last_at}
    )


_UPSERT = {"sqlite": _upsert(sqlite.insert), "postgresql": _upsert(postgresql.insert)}
