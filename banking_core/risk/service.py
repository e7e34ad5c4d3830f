"""The risk area as the order pipeline sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import Limit, checked
from banking_core.orders.risk import RiskSubject, Verdict
from banking_core.risk import decisions
from banking_core.risk.context import RiskContext
from banking_core.risk.features import compute
from banking_core.risk.gathering import LoginSubject, login_context, order_context
from banking_core.risk.habits import Habits
from banking_core.risk.model import Model, packaged_model
from banking_core.risk.models import RiskDecision
from banking_core.risk.rules import STRENGTH, Rules, packaged_rules
from banking_core.risk.sightings import see
from banking_core.risk.verdicts import REASONS_MAX, Judgement, decide

# Another area's reason to stop orders that are not to be harder but out of question; None where it has none.
Hold = Callable[[AsyncSession, RiskSubject], Awaitable[Verdict | None]]


@checked
class Risk:
    """Judges orders (`orders.OrderRisk`) and keeps what it judged. Never commits."""

    def __init__(
        self, *, rules: Rules | None = None, model: Model | None = None, holds: Sequence[Hold] = ()
    ) -> None:
        """`holds` are asked about orders beside rules and model. Raises RulesInvalid, ModelInvalid when the shipped
        files cannot be used.
        """
        self._holds = tuple(holds)
        self._rules = rules or packaged_rules()
        self._model = model or packaged_model()
        self._habits = Habits()

    async def assess(self, session: AsyncSession, subject: RiskSubject) -> Verdict:
        """The verdict on one order at one moment; what it says and why is written down in the same transaction."""
        context = await order_context(session, subject, self._habits)
        judgement = decide(context, compute(context), self._rules, self._model)
        if subject.kind not in self._rules.exempt_kinds:
            for hold in self._holds:
                judgement = _held(judgement, await hold(session, subject))
        until = _until(judgement, subject.at)
        origin = decisions.Origin(subject.customer_id, subject.order_id, subject.conversation_id)
        await self._record(session, origin, context, judgement, until)
        if subject.phase == "execute" and _goes_on(judgement, subject.proofs, standing=subject.standing):
            await self._remember(session, subject, context)
        return _verdict(judgement, until)

    async def assess_login(self, session: AsyncSession, subject: LoginSubject) -> Verdict:
        """The verdict on a log-in whose password was right, by the rules for log-ins; written down like any other."""
        context = await login_context(session, subject, self._habits)
        judgement = decide(context, compute(context), self._rules, self._model)
        until = _until(judgement, subject.at)
        origin = decisions.Origin(subject.customer_id, None, subject.conversation_id)
        await self._record(session, origin, context, judgement, until)
        return _verdict(judgement, until)

    async def _record(
        self,
        session: AsyncSession,
        origin: decisions.Origin,
        context: RiskContext,
        judgement: Judgement,
        until: datetime | None,
    ) -> None:
        await decisions.record(
            session,
            origin,
            context,
            judgement,
            until=until,
            rules_version=self._rules.version,
            model_version=self._model.version,
        )

    async def _remember(self, session: AsyncSession, subject: RiskSubject, context: RiskContext) -> None:
        """What is about to be paid becomes known: device, network, place, and that this payee is paid by this one."""
        around = context.surroundings
        payee = context.payee.key if context.payee is not None and context.account is not None else ""
        found = {"device": around.device, "network": around.network, "payee": payee}
        await see(session, subject.customer_id, found, subject.at)
        await self._habits.remember(
            session,
            subject.customer_id,
            subject.at,
            device=around.device,
            network=around.network,
            place=around.place,
        )

    async def decisions_of_order(self, session: AsyncSession, order_id: str) -> Sequence[RiskDecision]:
        """Every judgement of an order, oldest first."""
        return await decisions.of_order(session, order_id)

    async def decisions_of_customer(
        self, session: AsyncSession, customer_id: str, limit: Limit = 50
    ) -> Sequence[RiskDecision]:
        """A customer's newest judgements first, at most 500."""
        return await decisions.of_customer(session, customer_id, limit)

    async def shadow_report(self, session: AsyncSession, since: datetime) -> list[decisions.ShadowReport]:
        """What the shadow rules would have stopped since then, the most frequent first."""
        return await decisions.shadow_report(session, since)


def _held(judgement: Judgement, hold: Verdict | None) -> Judgement:
    """With the reasons of the hold, and its verdict where that is the stronger one."""
    if hold is None:
        return judgement
    judgement = replace(judgement, reasons=(*hold.reasons, *judgement.reasons)[:REASONS_MAX])
    if STRENGTH[hold.kind] <= STRENGTH[judgement.kind]:
        return judgement
    return replace(
        judgement,
        kind=hold.kind,
        factors=hold.factors,
        delay_minutes=None,
        customer_text=hold.customer_text,
    )


def _verdict(judgement: Judgement, until: datetime | None) -> Verdict:
    return Verdict(
        kind=judgement.kind,
        factors=judgement.factors,
        until=until,
        customer_text=judgement.customer_text,
        reasons=judgement.reasons,
    )


def _until(judgement: Judgement, now: datetime) -> datetime | None:
    return None if judgement.delay_minutes is None else now + timedelta(minutes=judgement.delay_minutes)


def _goes_on(judgement: Judgement, proofs: frozenset[str], *, standing: bool) -> bool:
    """Whether the order is carried out now, as `orders.risk` says."""
    return judgement.kind == "allow" or (
        judgement.kind == "step_up" and (standing or judgement.factors <= proofs)
    )
