"""Carrying out a confirmed order: checks again, asks the risk area, then runs the handler exactly once.

The order's row is locked by the caller and the customer's row here, in that sequence, so that limits are
counted in turn. A refusal by a check raises and leaves everything as it was; a verdict of the risk area is
written down with the order and returned, because it must not be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.service import Accounts
from banking_core.customers.service import Customers
from banking_core.numbers import new_number
from banking_core.orders.checks import check_source
from banking_core.orders.events import Actor, move
from banking_core.orders.limits import LimitBook, Moving
from banking_core.orders.models import Order
from banking_core.orders.risk import REASONS_MAX, TEXT_LENGTH_MAX, OrderRisk, RiskSubject, Verdict, raised
from banking_core.orders.states import AUTHORISED, EXECUTED, FAILED, SUBMITTED, WAITING
from banking_core.orders.types import (
    GuardSubject,
    OrderGuard,
    OrderHandler,
    Submitted,
    judged_account_id,
)

HELD_LIFE = timedelta(hours=2)  # of an order that waits for a human
BLOCKED_CODE = "risk_blocked"


def keep_verdict(order: Order, verdict: Verdict) -> None:
    """Writes the risk area's judgement down with the order."""
    order.risk_verdict = verdict.kind
    order.risk_text = verdict.customer_text or None
    order.risk_reasons = list(verdict.reasons)


def hold(order: Order, *, text: str, reason: str) -> None:
    """The verdict is `human`; what the risk area said before stays among the reasons."""
    order.risk_verdict = "human"
    order.risk_text = order.risk_text or text[:TEXT_LENGTH_MAX]
    order.risk_reasons = [reason, *(known for known in order.risk_reasons or () if known != reason)][
        :REASONS_MAX
    ]


class Execution:
    """The last part of the pipeline."""

    def __init__(
        self,
        customers: Customers,
        accounts: Accounts,
        handlers: Mapping[str, OrderHandler],
        guards: list[OrderGuard],
        limits: LimitBook,
    ) -> None:
        self._limits = limits
        self._customers = customers
        self._accounts = accounts
        self._handlers = handlers
        self._guards = guards

    async def run(
        self,
        session: AsyncSession,
        order: Order,
        *,
        risk: OrderRisk,
        now: datetime,
        by: Actor,
        context: Mapping[str, Any],
    ) -> None:
        """Carries the locked order out, or leaves it as the verdict says; see `orders.risk`.

        Raises what guards, limits, balance and handler refuse; then nothing has moved.
        """
        waited = order.status == WAITING
        proofs = frozenset(order.proofs or ())
        account_id = judged_account_id(self._handlers[order.kind], order.source_account_id, order.body)
        await self._check_again(session, order, account_id, now)
        subject = _subject(order, now, proofs, by, waited, context)
        verdict = await risk.assess(session, replace(subject, source_account_id=account_id))
        keep_verdict(order, verdict)
        if verdict.kind == "block":
            order.failure_code, order.failure_text = BLOCKED_CODE, verdict.customer_text
            await move(session, order, FAILED, at=now, by=by, reason="risk: block")
        elif order.needs_human:
            order.expires_at = now + HELD_LIFE
            await session.flush()
        elif verdict.kind == "step_up" and not order.mandate_id and not _needed(order, verdict) <= proofs:
            order.step_up = raised(order.step_up, _needed(order, verdict))
            await session.flush()
        elif verdict.kind == "delay" and not waited:
            order.not_before = verdict.until
            await move(session, order, WAITING, at=now, by=by, reason="risk: delay")
        else:
            await self._carry_out(session, order, now, by)

    async def _carry_out(self, session: AsyncSession, order: Order, now: datetime, by: Actor) -> None:
        async with session.begin_nested():
            outcome = await self._handlers[order.kind].execute(session, order)
        proofs = "+".join(sorted(order.proofs or ())) or ("mandate" if order.mandate_id else "confirmation")
        await move(session, order, AUTHORISED, at=now, by=by, reason=f"proof: {proofs}")
        order.authorised_at = now
        order.ledger_transaction_id = outcome.transaction_id
        order.receipt_facts = [list(fact) for fact in outcome.receipt_facts]
        order.arrives_at = outcome.arrives_at
        if isinstance(outcome, Submitted):
            order.next_settle_at = outcome.sends_at or now
            await move(session, order, SUBMITTED, at=now, by=by)
        else:
            order.executed_at = now
            order.receipt_number = await new_number(session, "HD", now, Order.receipt_number)
            await move(session, order, EXECUTED, at=now, by=by)

    async def _check_again(
        self, session: AsyncSession, order: Order, account_id: str | None, now: datetime
    ) -> None:
        """The world may have changed since drafting. The customer's row is locked: orders are counted in turn."""
        customer = await self._customers.lock(session, order.customer_id)
        subject = GuardSubject(order.customer_id, order.kind, order.amount_fen, account_id, "execute")
        for guard in self._guards:
            await guard.check(session, subject)
        if order.limit_group is not None:
            moving = Moving(
                customer.id,
                customer.level,
                order.limit_group,
                order.channel,
                order.amount_fen,
                order.payee_hours,
            )
            await self._limits.check(session, moving, now)
        if order.source_account_id is not None:
            total_fen = order.amount_fen + order.fee_fen
            await check_source(session, self._accounts, order.customer_id, order.source_account_id, total_fen)


def _needed(order: Order, verdict: Verdict) -> frozenset[str]:
    """The factors a verdict asks for; who was vouched for needs no voice."""
    return verdict.factors if order.vouched_by is None else verdict.factors - {"voice"}


def _subject(
    order: Order,
    now: datetime,
    proofs: frozenset[str],
    by: Actor,
    waited: bool,
    context: Mapping[str, Any],
) -> RiskSubject:
    return RiskSubject(
        phase="execute",
        customer_id=order.customer_id,
        kind=order.kind,
        amount_fen=order.amount_fen,
        fee_fen=order.fee_fen,
        source_account_id=order.source_account_id,
        body=order.body,
        channel=by.channel,
        conversation_id=order.conversation_id,
        order_id=order.id,
        at=now,
        proofs=proofs,
        standing=order.mandate_id is not None,
        waited=waited,
        context=context,
    )
