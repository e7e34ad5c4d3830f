"""The record of every judgement: written with the order, never changed, read by operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked_function
from banking_core.risk.context import RiskContext
from banking_core.risk.models import RiskDecision
from banking_core.risk.verdicts import Judgement


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the question came from."""

    customer_id: str
    order_id: str | None
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """How often a shadow rule held, and what was done instead, by verdict."""

    rule_id: str
    held: int
    instead: dict[str, int]


_APPEND = insert(RiskDecision)


async def record(
    session: AsyncSession,
    origin: Origin,
    context: RiskContext,
    judgement: Judgement,
    *,
    until: datetime | None,
    rules_version: int,
    model_version: str,
) -> None:
    """Appends one judgement."""
    connection = await session.connection()
    await connection.execute(
        _APPEND,
        {
            "subject": context.subject,
            "phase": context.phase if context.subject == "order" else "login",
            "customer_id": origin.customer_id,
            "order_id": origin.order_id,
            "conversation_id": origin.conversation_id,
            "kind": context.kind,
            "channel": context.channel,
            "verdict": judgement.kind,
            "factors": sorted(judgement.factors),
            "until": until,
            "score": judgement.score,
            "rules_version": rules_version,
            "model_version": model_version,
            "rules": list(judgement.rules),
            "shadow": list(judgement.shadow),
            "reasons": list(judgement.reasons),
            "features_hash": judgement.features_hash,
            "at": context.at,
        },
    )


@checked_function
async def of_order(session: AsyncSession, order_id: str) -> Sequence[RiskDecision]:
    """Every judgement of an order, oldest first."""
    statement = select(RiskDecision).where(RiskDecision.order_id == order_id).order_by(RiskDecision.id)
    return (await session.scalars(statement)).all()


async def of_customer(session: AsyncSession, customer_id: str, limit: int = 50) -> Sequence[RiskDecision]:
    """A customer's newest judgements first, at most 500."""
    statement = (
        select(RiskDecision)
        .where(RiskDecision.customer_id == customer_id)
        .order_by(RiskDecision.at.desc(), RiskDecision.id.desc())
        .limit(min(limit, 500))
    )
    return (await session.scalars(statement)).all()


@checked_function
async def shadow_report(session: AsyncSession, since: datetime) -> list[ShadowReport]:
    """What the shadow rules would have stopped since then, the most frequent first."""
    statement = select(RiskDecision.shadow, RiskDecision.verdict).where(RiskDecision.at >= since)
    instead: dict[str, Counter[str]] = {}
    for held, verdict in await session.execute(statement):
        for rule_id in held:
            instead.setdefault(rule_id, Counter())[verdict] += 1
    reports = [ShadowReport(rule_id, sum(found.values()), dict(found)) for rule_id, found in instead.items()]
    return sorted(reports, key=lambda report: (-report.held, report.rule_id))
