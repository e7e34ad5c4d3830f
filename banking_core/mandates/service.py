"""Mandates of customers: made, looked at, paused, taken up again, cancelled. `running` makes their orders.

Whoever changes a mandate holds the customer's row first and then the mandate's, as the order pipeline does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.configuration.rules import HolidayRule
from banking_core.core import Core
from banking_core.days import at_time
from banking_core.mandates.bodies import MandateBody
from banking_core.mandates.errors import MandateNotFound, MandateOver, MandatesTooMany
from banking_core.mandates.handlers import MandateChangeHandler, MandateCreateHandler
from banking_core.mandates.models import Mandate, MandateRun
from banking_core.mandates.running import Running
from banking_core.mandates.trail import note_status
from banking_core.numbers import new_number
from banking_core.orders.models import Order
from banking_core.storage import Database

OVER = ("ended", "cancelled")
LIST_MAX = 200


@checked
class Mandates:
    """Scheduled and recurring orders. Methods that take a session never commit."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rules = core.rules.mandates
        self._running = Running(core, self)
        core.orders.register(MandateCreateHandler(core, self))
        for action in ("pause", "resume", "cancel"):
            core.orders.register(MandateChangeHandler(self, action))

    async def list(self, session: AsyncSession, customer_id: str, *, over: bool = False) -> Sequence[Mandate]:
        """A customer's mandates, the next due first; with `over` the ended and cancelled ones too."""
        statement = select(Mandate).where(Mandate.customer_id == customer_id)
        if not over:
            statement = statement.where(Mandate.status.not_in(OVER))
        statement = statement.order_by(Mandate.next_run_at.asc().nulls_last(), Mandate.created_at, Mandate.id)
        return (await session.scalars(statement.limit(LIST_MAX))).all()

    async def get(self, session: AsyncSession, mandate_id: str, customer_id: str) -> Mandate:
        """The mandate if it is this customer's; raises MandateNotFound."""
        mandate = await session.get(Mandate, mandate_id)
        if mandate is None or mandate.customer_id != customer_id:
            raise MandateNotFound("no such mandate of this customer")
        return mandate

    async def by_number(self, session: AsyncSession, number: str, customer_id: str) -> Mandate:
        """The mandate with this number if it is this customer's; raises MandateNotFound."""
        statement = select(Mandate).where(Mandate.number == number, Mandate.customer_id == customer_id)
        mandate = await session.scalar(statement)
        if mandate is None:
            raise MandateNotFound("no such mandate of this customer")
        return mandate

    async def runs(
        self, session: AsyncSession, mandate_id: str, customer_id: str, limit: int = 50
    ) -> Sequence[MandateRun]:
        """What became of its due days, newest first; raises MandateNotFound."""
        await self.get(session, mandate_id, customer_id)
        statement = (
            select(MandateRun)
            .where(MandateRun.mandate_id == mandate_id)
            .order_by(MandateRun.due_on.desc(), MandateRun.attempt.desc())
            .limit(max(0, min(limit, LIST_MAX)))
        )
        return (await session.scalars(statement)).all()

    async def pause(self, session: AsyncSession, mandate_id: str, customer_id: str) -> Mandate:
        """No orders are made until `resume`; pausing twice changes nothing. Raises MandateNotFound, MandateOver."""
        mandate = await self._locked(session, mandate_id, customer_id)
        if mandate.status == "active":
            self._running.skip_open_try(session, mandate)
            mandate.status, mandate.due_on, mandate.next_run_at = "paused", None, None
            note_status(session, mandate, "active", self._core.clock.now())
        await session.flush()
        return mandate

    async def resume(self, session: AsyncSession, mandate_id: str, customer_id: str) -> Mandate:
        """Goes on with the first due day that is not over yet; one without any has ended.

        Raises MandateNotFound, MandateOver.
        """
        mandate = await self._locked(session, mandate_id, customer_id)
        if mandate.status == "paused":
            now = self._core.clock.now()
            due = mandate.schedule.first()
            while due is not None and self.run_at(due, mandate.holiday_rule) <= now:
                due = mandate.schedule.after(due)
            mandate.failed_runs = 0
            self.plan(mandate, due)
            note_status(session, mandate, "paused", now)
        await session.flush()
        return mandate

    async def cancel(self, session: AsyncSession, mandate_id: str, customer_id: str) -> Mandate:
        """Ends it for good; cancelling twice changes nothing. Raises MandateNotFound, MandateOver when it has ended."""
        mandate = await self._locked(session, mandate_id, customer_id, cancelled=True)
        if mandate.status != "cancelled":
            before = mandate.status
            if mandate.status == "active":
                self._running.skip_open_try(session, mandate)
            mandate.status, mandate.due_on, mandate.next_run_at = "cancelled", None, None
            mandate.closed_at = self._core.clock.now()
            note_status(session, mandate, before, mandate.closed_at)
        await session.flush()
        return mandate

    async def run_due(self, database: Database) -> str:
        """Makes the orders that are due and follows those still under way; for a job. Safe from several processes."""
        return await self._running.run_due(database)

    async def add(self, session: AsyncSession, order: Order, wish: MandateBody) -> Mandate:
        """Writes down the mandate an order agreed to."""
        now = self._core.clock.now()
        payment = order.body["order"]
        mandate = Mandate(
            number=await new_number(session, "YD", now, Mandate.number),
            customer_id=order.customer_id,
            order_id=order.id,
            kind=wish.kind,
            body=payment,
            facts=order.facts,
            title=wish.title,
            amount_fen=order.amount_fen,
            account_id=payment["from_account_id"],
            frequency=wish.schedule.frequency,
            day=wish.schedule.day,
            starts_on=wish.schedule.starts_on,
            ends_on=wish.schedule.ends_on,
            runs_max=wish.runs_max,
            holiday_rule=wish.holiday_rule,
            attempt=0,
            runs_done=0,
            failed_runs=0,
            created_at=now,
            closed_at=None,
        )
        self.plan(mandate, wish.schedule.first())
        session.add(mandate)
        await session.flush()
        note_status(session, mandate, None, now)
        return mandate

    def plan(self, mandate: Mandate, due: date | None) -> None:
        """Makes `due` the due day that comes next; without one, or with its number of days over, it has ended."""
        mandate.attempt = 0
        if due is None or (mandate.runs_max is not None and mandate.runs_done >= mandate.runs_max):
            mandate.status, mandate.due_on, mandate.next_run_at = "ended", None, None
            mandate.closed_at = self._core.clock.now()
        else:
            mandate.status, mandate.due_on = "active", due
            mandate.next_run_at = self.run_at(due, mandate.holiday_rule)

    def run_at(self, due: date, holiday_rule: HolidayRule | str) -> datetime:
        """When a due day is tried first, in UTC."""
        planned = self._core.calendar.moved(due, holiday_rule)  # type: ignore[arg-type]
        return at_time(planned, self._rules.run_at)

    async def ensure_room(self, session: AsyncSession, customer_id: str) -> None:
        """Raises MandatesTooMany when the customer has as many mandates as allowed."""
        count = select(func.count()).where(Mandate.customer_id == customer_id, Mandate.status.not_in(OVER))
        if (await session.scalar(count) or 0) >= self._rules.count_max:
            raise MandatesTooMany("too many mandates")

    @staticmethod
    def ensure_not_over(mandate: Mandate) -> None:
        """Raises MandateOver."""
        if mandate.status in OVER:
            raise MandateOver(f"mandate is {mandate.status}")

    async def lock(self, session: AsyncSession, mandate_id: str, customer_id: str) -> Mandate:
        """The mandate with the customer's row and its own locked; raises MandateNotFound."""
        await self._core.customers.lock(session, customer_id)
        statement = (
            select(Mandate)
            .where(Mandate.id == mandate_id, Mandate.customer_id == customer_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        mandate = await session.scalar(statement)
        if mandate is None:
            raise MandateNotFound("no such mandate of this customer")
        return mandate

    async def _locked(
        self, session: AsyncSession, mandate_id: str, customer_id: str, *, cancelled: bool = False
    ) -> Mandate:
        mandate = await self.lock(session, mandate_id, customer_id)
        if not (cancelled and mandate.status == "cancelled"):
            self.ensure_not_over(mandate)
        return mandate
