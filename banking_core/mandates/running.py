"""Making the orders of mandates that are due.

One due day of one mandate is one database transaction: the order, what became of the day, where the mandate stands
and the notice are written together, under the locks of the customer and the mandate. The order's key is the mandate
and the due day, so that even a second look at the same day makes no second order.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import bank_date
from banking_core.days import at_time
from banking_core.errors import BankError, ProviderUnavailable
from banking_core.mandates.models import OPEN_OUTCOMES, Mandate, MandateRun
from banking_core.mandates.telling import TROUBLE, Telling
from banking_core.mandates.trail import note_status
from banking_core.orders.models import Order
from banking_core.storage import Database

if TYPE_CHECKING:
    from banking_core.core import Core
    from banking_core.mandates.service import Mandates

log = logging.getLogger(__name__)
Step = Callable[[AsyncSession], Awaitable[int]]
BATCH = 100
POSTPONED = timedelta(minutes=10)
CLOSED_ORDERS = ("executed", "failed", "cancelled", "expired")


class Running:
    """Runs what is due."""

    def __init__(self, core: Core, mandates: Mandates) -> None:
        self._core = core
        self._mandates = mandates
        self._rules = core.rules.mandates
        self._telling = Telling(core.notices)

    async def run_due(self, database: Database) -> str:
        """See `Mandates.run_due`. One mandate that goes wrong does not hold up the others."""
        made = followed = 0
        while due := await self._due(database):
            for mandate_id, customer_id in due:
                try:
                    made += await database.run(self._one(mandate_id, customer_id), idempotent=True)
                except Exception:
                    log.exception("mandate %s failed", mandate_id)
                    await database.run(self._postpone(mandate_id, customer_id))
        for run_id, mandate_id, customer_id in await self._under_way(database):
            followed += await database.run(self._follow(run_id, mandate_id, customer_id), idempotent=True)
        return f"made={made} followed={followed}"

    def skip_open_try(self, session: AsyncSession, mandate: Mandate) -> None:
        """A due day that was tried in vain is given up, because the mandate is paused or cancelled."""
        if mandate.attempt:
            session.add(self._run(mandate, "skipped"))

    async def _due(self, database: Database) -> list[tuple[str, str]]:
        async with database.snapshot() as session:
            statement = (
                select(Mandate.id, Mandate.customer_id)
                .where(Mandate.status == "active", Mandate.next_run_at <= self._core.clock.now())
                .order_by(Mandate.next_run_at, Mandate.id)
                .limit(BATCH)
            )
            return [(row.id, row.customer_id) for row in await session.execute(statement)]

    def _one(self, mandate_id: str, customer_id: str) -> Step:
        """Tries the due day of one mandate; 1 when an order was made."""

        async def work(session: AsyncSession) -> int:
            mandate = await self._mandates.lock(session, mandate_id, customer_id)
            now = self._core.clock.now()
            if mandate.status != "active" or mandate.next_run_at is None or mandate.next_run_at > now:
                return 0  # paused, cancelled, or another process was faster
            if self._is_late(mandate, now):
                await self._end_day(session, mandate, "missed")
                return 0
            try:
                order = await self._core.orders.run_standing(
                    session,
                    mandate_id=mandate.id,
                    customer_id=customer_id,
                    kind=mandate.kind,
                    body=mandate.body,
                    idempotency_key=f"mandate:{mandate.id}:{mandate.due_on}",
                )
            except BankError as error:
                await session.refresh(mandate)
                await self._refused(session, mandate, error, now)
                return 0
            cause = order.failure_text or ""
            await self._end_day(session, mandate, order.status, order.failure_code or "", cause, order)
            return 1

        return work

    async def _refused(
        self, session: AsyncSession, mandate: Mandate, error: BankError, now: datetime
    ) -> None:
        """Nothing has moved: the day is tried again soon, tomorrow, or not at all."""
        if isinstance(error, ProviderUnavailable):
            mandate.next_run_at = now + POSTPONED
        elif error.code in self._rules.retry_codes and mandate.attempt < self._rules.retry_times:
            run = self._run(mandate, "retry", error.code)
            session.add(run)
            mandate.attempt += 1
            tomorrow = bank_date(now) + timedelta(days=1)
            mandate.next_run_at = at_time(tomorrow, self._rules.run_at)
            await self._telling.tell(session, mandate, run, order=None)
        else:
            await self._end_day(session, mandate, "failed", error.code, error.customer_text)
        await session.flush()

    async def _end_day(
        self,
        session: AsyncSession,
        mandate: Mandate,
        outcome: str,
        code: str = "",
        cause: str = "",
        order: Order | None = None,
    ) -> None:
        """The due day is over, whatever becomes of its order; the mandate goes on to the next one."""
        assert mandate.due_on is not None
        run = self._run(mandate, outcome, code, order)
        session.add(run)
        mandate.runs_done += 1
        mandate.failed_runs = mandate.failed_runs + 1 if outcome in TROUBLE else 0
        self._mandates.plan(mandate, mandate.schedule.after(mandate.due_on))
        self._pause_after_failures(mandate)
        note_status(session, mandate, "active", self._core.clock.now())
        await session.flush()
        await self._telling.tell(session, mandate, run, cause=cause, order=order)

    def _pause_after_failures(self, mandate: Mandate) -> None:
        if mandate.status == "active" and mandate.failed_runs >= self._rules.failed_max:
            mandate.status, mandate.due_on, mandate.next_run_at = "paused", None, None

    async def _under_way(self, database: Database) -> list[tuple[int, str, str]]:
        """Runs whose order was still under way and has ended since."""
        async with database.snapshot() as session:
            statement = (
                select(MandateRun.id, Mandate.id, Mandate.customer_id)
                .join(Mandate, Mandate.id == MandateRun.mandate_id)
                .join(Order, Order.id == MandateRun.order_id)
                .where(MandateRun.outcome.in_(OPEN_OUTCOMES), Order.status.in_(CLOSED_ORDERS))
                .order_by(MandateRun.id)
                .limit(BATCH)
            )
            return [(run_id, mandate_id, who) for run_id, mandate_id, who in await session.execute(statement)]

    def _follow(self, run_id: int, mandate_id: str, customer_id: str) -> Step:
        async def work(session: AsyncSession) -> int:
            mandate = await self._mandates.lock(session, mandate_id, customer_id)
            run = await session.get_one(MandateRun, run_id, populate_existing=True)
            if run.outcome not in OPEN_OUTCOMES:
                return 0
            order = await session.get_one(Order, run.order_id, populate_existing=True)
            run.outcome = "failed" if order.status == "expired" else order.status
            run.code = order.failure_code or ""
            before = mandate.status
            if run.outcome == "failed":
                mandate.failed_runs += 1
                self._pause_after_failures(mandate)
            note_status(session, mandate, before, self._core.clock.now())
            await session.flush()
            await self._telling.tell(session, mandate, run, cause=order.failure_text or "", order=order)
            return 1

        return work

    def _postpone(self, mandate_id: str, customer_id: str) -> Step:
        """After a defect: tried again in a while, until it is too late."""

        async def work(session: AsyncSession) -> int:
            mandate = await self._mandates.lock(session, mandate_id, customer_id)
            if mandate.status == "active":
                mandate.next_run_at = self._core.clock.now() + POSTPONED
            return 0

        return work

    def _is_late(self, mandate: Mandate, now: datetime) -> bool:
        assert mandate.due_on is not None
        planned = bank_date(self._mandates.run_at(mandate.due_on, mandate.holiday_rule))
        return bank_date(now) > planned + timedelta(days=mandate.attempt + self._rules.late_days_max)

    def _run(self, mandate: Mandate, outcome: str, code: str = "", order: Order | None = None) -> MandateRun:
        return MandateRun(
            mandate_id=mandate.id,
            due_on=mandate.due_on,
            attempt=mandate.attempt,
            outcome=outcome,
            code=code[:64],
            order_id=None if order is None else order.id,
            at=self._core.clock.now(),
        )
