"""The profiles of customers: read once, kept in memory, brought up to date from the records at every decision.

A profile is a digest of the records (see `history`) up to an instant a few minutes ago, and what happened since is
laid on top each time, so that a transaction that commits late is never missed. The row in `risk_profile` spares
reading two years again and is the only place that remembers devices and networks. Rows of this area are locked by
nobody who waits: whoever finds one locked leaves it, and reads the records again next time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.inserts import insert_if_absent
from banking_core.risk.history import past_payments, records_since
from banking_core.risk.models import RiskProfile
from banking_core.risk.profile import Profile
from banking_core.risk.windows import DAY_S, MINUTE_S
from banking_core.storage import UtcDateTime, after_commit, new_id

SETTLE_S = 5 * MINUTE_S  # no transaction of the bank stays open longer
KEPT_MAX = 1_000  # of the busiest customers about 100 MB


@dataclass(frozen=True, slots=True)
class _Kept:
    """The digest behind a row of the table; `token` is None while there is no row."""

    token: str | None
    profile: Profile
    saved_upto_s: float


_ROW = RiskProfile.__table__
_FREE = (
    select(_ROW.c.customer_id)
    .where(_ROW.c.customer_id == bindparam("customer"), _ROW.c.token == bindparam("old"))
    .with_for_update(skip_locked=True)
)
_REPLACE = (
    update(RiskProfile)
    .where(_ROW.c.customer_id.in_(_FREE))
    .values(
        token=bindparam("token"),
        data=bindparam("data", type_=JSON),
        updated_at=bindparam("updated_at", type_=UtcDateTime),
    )
)


class Habits:
    """Profiles of one bank. One per process; several processes see each other's rows by their tokens."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._kept_max = kept_max

    async def of(
        self,
        session: AsyncSession,
        customer_id: str,
        now: datetime,
        token: str | None,
        own_order_id: str = "",
    ) -> Profile:
        """The profile as of now; the caller must not change it. `token` is that of the row, None without one."""
        kept = await self._digest(session, customer_id, now, token)
        now_s = now.timestamp()
        records = await records_since(session, customer_id, kept.profile.upto_s, own_order_id)
        settled = [record for record in records if record.at_s <= now_s - SETTLE_S]
        if settled:
            digest = kept.profile.copy()
            for record in settled:
                record.apply(digest)
            digest.upto_s = now_s - SETTLE_S
            kept = self._keep(customer_id, _Kept(kept.token, digest, kept.saved_upto_s))
        fresh = records[len(settled) :]
        if not fresh:
            return kept.profile
        profile = kept.profile.copy()
        for record in fresh:
            record.apply(profile)
        return profile

    async def _digest(
        self, session: AsyncSession, customer_id: str, now: datetime, token: str | None
    ) -> _Kept:
        kept = self._kept.get(customer_id)
        if kept is not None and kept.token == token and kept.profile.upto_s <= now.timestamp():
            self._kept.move_to_end(customer_id)
            return kept
        if token is not None:
            data = await session.scalar(
                select(RiskProfile.data).where(RiskProfile.customer_id == customer_id)
            )
            profile = Profile.from_json(data or {})
            return self._keep(customer_id, _Kept(token, profile, profile.upto_s))
        until = datetime.fromtimestamp(now.timestamp() - SETTLE_S, UTC)
        profile = Profile()
        for record in await past_payments(session, customer_id, until):
            record.apply(profile)
        records = await records_since(session, customer_id, 0.0)
        for record in records:
            if record.at_s <= until.timestamp():
                record.apply(profile)
        profile.upto_s = until.timestamp()
        return self._keep(customer_id, _Kept(None, profile, 0.0))

    def _keep(self, customer_id: str, kept: _Kept) -> _Kept:
        self._kept[customer_id] = kept
        self._kept.move_to_end(customer_id)
        while len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
        return kept

    async def remember(
        self,
        session: AsyncSession,
        customer_id: str,
        now: datetime,
        *,
        device: str = "",
        network: str = "",
        place: str = "",
    ) -> None:
        """Writes the profile with where the customer was just seen; call it after `of` in the same transaction.

        Skipped when there is nothing new, or when another transaction is at the same row.
        """
        kept = self._kept.get(customer_id)
        if kept is None:
            return
        seen = bool(device or network or place)
        if not seen and kept.profile.upto_s - kept.saved_upto_s < DAY_S:
            return
        profile = kept.profile.copy()
        if seen:
            profile.observe_surroundings(now.timestamp(), device=device, network=network, place=place)
        token = new_id()
        values = {"token": token, "data": profile.to_json(), "updated_at": now}
        if not await _write(session, customer_id, kept.token, values):
            return

        async def committed() -> None:
            self._keep(customer_id, _Kept(token, profile, profile.upto_s))

        after_commit(session, committed)


async def _write(session: AsyncSession, customer_id: str, token: str | None, values: dict[str, Any]) -> bool:
    """Replaces the row that had `token`, or makes the first one; False when somebody else was there."""
    if token is None:
        row = values | {"customer_id": customer_id}
        return await insert_if_absent(session, RiskProfile, row, unique="customer_id")
    connection = await session.connection()
    done = await connection.execute(_REPLACE, values | {"customer": customer_id, "old": token})
    return done.rowcount == 1
