"""The orders by which a customer agrees to a mandate, pauses it, takes it up again and cancels it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import bank_date
from banking_core.customers.models import Customer
from banking_core.mandates.bodies import HOLIDAY_WORDS, MandateBody
from banking_core.mandates.errors import MandateInvalid
from banking_core.mandates.models import Mandate
from banking_core.orders.limits import Moving
from banking_core.orders.models import Order
from banking_core.orders.risk import raised
from banking_core.orders.types import Executed, Facts, Quote

if TYPE_CHECKING:
    from banking_core.core import Core
    from banking_core.mandates.service import Mandates

CHANNEL = "bank"  # whom the payments come through
ARRIVAL = "到账时间"  # a fact of one payment, wrong for those to come


class MandateCreateHandler:
    """`mandate_create` {kind, order, frequency, day, starts_on, ends_on, runs_max, holiday_rule, title}.

    `order` is the body of the orders to be made. A code is asked once, here; the payments ask for none.
    """

    kind = "mandate_create"

    def __init__(self, core: Core, mandates: Mandates) -> None:
        self._core = core
        self._mandates = mandates
        self._rules = core.rules.mandates

    def paying_account_id(self, body: Mapping[str, Any]) -> str:
        """The account the payments will come from."""
        return str(body["order"]["from_account_id"])

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises MandateInvalid, MandatesTooMany, and what a payment of today would be refused for.

        The balance may come later, and so may what the day's limit leaves.
        """
        wish = MandateBody.read(body, self._rules, bank_date(self._core.clock.now()))
        await self._mandates.ensure_room(session, customer.id)
        payment = await self._core.orders.quote(session, customer.id, wish.kind, wish.order)
        if payment.source_account_id is None:
            raise MandateInvalid("an order that pays from no account", field="kind")
        if payment.limit_group is not None:
            moving = Moving(customer.id, customer.level, payment.limit_group, CHANNEL, payment.amount_fen)
            self._core.orders.limits.check_once(moving)
        return Quote(
            amount_fen=payment.amount_fen,
            fee_fen=0,
            facts=(*(fact for fact in payment.facts if fact[0] != ARRIVAL), *self._facts(wish)),
            step_up=raised(payment.step_up, frozenset({"otp"})),
            body=wish.normalised(payment.body),
        )

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Writes the mandate down; it is active from now on."""
        await self._mandates.ensure_room(session, order.customer_id)
        mandate = await self._mandates.add(session, order, MandateBody.stored(order.body, self._rules))
        return Executed((("约定编号", mandate.number), *((label, value) for label, value in order.facts)))

    def _facts(self, wish: MandateBody) -> Facts:
        first = wish.schedule.first()
        assert first is not None
        planned = self._core.calendar.moved(first, wish.holiday_rule)
        until = "长期有效，可随时取消"
        if wish.runs_max is not None:
            until = f"共{wish.runs_max}次"
        if wish.schedule.ends_on is not None:
            until = f"到{wish.schedule.ends_on.isoformat()}" + (
                f"，最多{wish.runs_max}次" if wish.runs_max else ""
            )
        times = self._rules.retry_times
        facts = [("办理日", wish.schedule.words), ("首次办理", planned.isoformat())]
        if wish.schedule.frequency != "once":
            facts.append(("期限", until))
        facts.append(("遇节假日", HOLIDAY_WORDS[wish.holiday_rule]))
        if times:
            facts.append(("余额不足时", f"之后每天再试一次，最多{times}次"))
        if wish.title:
            facts.append(("名称", wish.title))
        return tuple(facts)


class MandateChangeHandler:
    """`mandate_pause`, `mandate_resume` and `mandate_cancel` {mandate_id}."""

    def __init__(self, mandates: Mandates, action: str) -> None:
        self._mandates = mandates
        self._action = action
        self.kind = f"mandate_{action}"

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises MandateNotFound, MandateOver."""
        mandate_id = body.get("mandate_id")
        mandate = await self._mandates.get(
            session, mandate_id if isinstance(mandate_id, str) else "", customer.id
        )
        self._mandates.ensure_not_over(mandate)
        words = {"pause": "暂停约定", "resume": "恢复约定", "cancel": "取消约定"}[self._action]
        facts = (("业务", words), ("约定编号", mandate.number), *summary_facts(mandate))
        return Quote(0, 0, facts, "none", {"mandate_id": mandate.id})

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Changes it; one that is so already stays as it is. Raises MandateOver."""
        change = {
            "pause": self._mandates.pause,
            "resume": self._mandates.resume,
            "cancel": self._mandates.cancel,
        }[self._action]
        mandate = await change(session, order.body["mandate_id"], order.customer_id)
        status = {
            "active": "已恢复",
            "paused": "已暂停，随时可以恢复",
            "cancelled": "已取消，不会再转出",
            "ended": "已结束",
        }[mandate.status]
        facts = [("约定编号", mandate.number), ("状态", status)]
        if mandate.next_run_at is not None:
            facts.append(("下次办理", bank_date(mandate.next_run_at).isoformat()))
        return Executed(tuple(facts))


def summary_facts(mandate: Mandate) -> Facts:
    """The facts by which a customer recognises a mandate."""
    known = [
        (label, value)
        for label, value in mandate.facts
        if label not in ("首次办理", "余额不足时", "遇节假日")
    ]
    return tuple(known)
