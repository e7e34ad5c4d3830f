"""Drafting, confirming and executing orders.

An order is executed at most once however often it is asked for: the row is locked, its status decides, and
its ledger key is its number. Whatever a handler does runs inside a savepoint, so that a refusal leaves no
trace and the caller may go on in the same transaction and tell the customer why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.service import Accounts
from banking_core.audit import note
from banking_core.checked import Limit, checked
from banking_core.clock import Clock
from banking_core.customers.service import Customers
from banking_core.errors import InvalidInput
from banking_core.ledger.service import Ledger
from banking_core.orders.drafting import Drafting, Wish
from banking_core.orders.errors import (
    OrderClosed,
    OrderExpired,
    OrderInvalid,
    OrderNeedsHuman,
    OrderNotConfirmed,
    OrderNotFound,
    OrderNotHeld,
    OrderNotReadBack,
    StepUpRequired,
)
from banking_core.orders.events import Actor, history, move
from banking_core.orders.execution import HELD_LIFE, Execution, hold
from banking_core.orders.limits import LimitBook, used_this_month_fen, used_today_fen
from banking_core.orders.models import Order, OrderEvent
from banking_core.orders.proofs import NEVER, Proof, VoiceStandsIn, missing_factors, voice_suffices
from banking_core.orders.releasing import Release, fail_for_human
from banking_core.orders.risk import NoRisk, OrderRisk
from banking_core.orders.settlement import Settlement, lock_order
from banking_core.orders.states import (
    AUTHORISED,
    CANCELLABLE,
    CANCELLED,
    CONFIRMED,
    DONE,
    DRAFTED,
    EXPIRED,
    OPEN,
    OVER,
    READ_BACK,
    WAITING,
)
from banking_core.orders.types import OrderGuard, OrderHandler, Quote
from banking_core.storage import Database
from banking_core.telling import again_at

VOUCHER_CHARS_MAX = 64
GROUNDS_CHARS_MAX = 200


@checked
class Orders:
    """The order pipeline. Methods that take a session never commit."""

    def __init__(
        self, clock: Clock, ledger: Ledger, customers: Customers, accounts: Accounts, limits: LimitBook
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._customers = customers
        self._accounts = accounts
        self._handlers: dict[str, OrderHandler] = {}
        self._guards: list[OrderGuard] = []
        self._risk: OrderRisk = NoRisk()
        self._voice = NEVER
        self._settlement = Settlement(clock, ledger, self._handlers)
        self._drafting = Drafting(clock, customers, accounts, self._handlers, self._guards, limits)
        self._execution = Execution(customers, accounts, self._handlers, self._guards, limits)
        self._release = Release(clock, self._execution)

    def register(self, handler: OrderHandler) -> None:
        """Adds a kind of order; each kind once."""
        assert handler.kind not in self._handlers, f"order kind {handler.kind} is registered twice"
        self._handlers[handler.kind] = handler

    def add_guard(self, guard: OrderGuard) -> None:
        """Adds a rule asked at drafting and at execution, in order of registration."""
        self._guards.append(guard)

    def use_risk(self, risk: OrderRisk) -> None:
        """Plugs in the risk area, which judges every order from now on; see `orders.risk`."""
        self._risk = risk

    def let_voice_stand_in(self, bounds: VoiceStandsIn) -> None:
        """Says up to which amounts a voice beside a log-in by code needs no code for the order."""
        self._voice = bounds

    @property
    def kinds(self) -> frozenset[str]:
        """The registered kinds."""
        return frozenset(self._handlers)

    async def draft(
        self,
        session: AsyncSession,
        *,
        customer_id: str,
        kind: str,
        body: Mapping[str, Any],
        idempotency_key: str,
        channel: str,
        conversation_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        code_for_money: bool = False,
    ) -> Order:
        """Prices and checks a wish and writes it down; nothing moves yet.

        The same key with the same body returns the first order, whatever became of it. An order that the risk
        area blocks comes back `failed`; one it wants a human for is a draft whose `risk_verdict` is `human`.
        `context` goes to the risk area unread; with `code_for_money` an amount needs a code, whatever the kind asks
        for: the log-in of this visit proved no possession.

        Raises OrderKeyConflict, OrderInvalid, and what the handler, the guards, the limits and the balance refuse.
        """
        wish = Wish(
            customer_id,
            kind,
            body,
            idempotency_key,
            channel,
            conversation_id,
            context or {},
            code_for_money=code_for_money,
        )
        return await self._drafting.draft(session, wish, risk=self._risk)

    async def read_back(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        """The customer is being told every fact of the order, in this very transaction. Idempotent.

        Raises OrderNotFound, OrderExpired, OrderClosed.
        """
        order = await self._locked(session, order_id, customer_id)
        if order.status != DRAFTED:
            self._ensure_not_over(order)
            return order
        self._ensure_open(order)
        await move(session, order, READ_BACK, at=self._clock.now(), by=_customer(order))
        return order

    async def confirm(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        """The customer said yes to the read-back. Idempotent.

        Raises OrderNotFound, OrderExpired, OrderClosed, OrderNotReadBack, OrderNeedsHuman.
        """
        order = await self._locked(session, order_id, customer_id)
        if order.status in (CONFIRMED, WAITING, AUTHORISED, *DONE):
            return order
        self._ensure_open(order)
        if order.status == DRAFTED:
            raise OrderNotReadBack("the order was not read back")
        if order.needs_human:
            raise OrderNeedsHuman("risk wants a human", customer_text=order.risk_text)
        now = self._clock.now()
        order.confirmed_at = now
        await move(session, order, CONFIRMED, at=now, by=_customer(order))
        return order

    async def prove(
        self, session: AsyncSession, order_id: str, customer_id: str, proofs: Collection[Proof]
    ) -> Order:
        """Notes proofs given for this very order; they count when it is executed.

        Raises OrderNotFound, OrderNotConfirmed, OrderExpired, OrderClosed.
        """
        order = await self._locked(session, order_id, customer_id)
        self._ensure_open(order)
        if order.status != CONFIRMED:
            raise OrderNotConfirmed("the order was not confirmed")
        order.proofs = sorted({*(order.proofs or ()), *proofs})
        await session.flush()
        return order

    async def hold(
        self, session: AsyncSession, order_id: str, customer_id: str, *, text: str, reason: str
    ) -> Order:
        """A proof was not had: an agent is to look at the order first, which stays where it is with verdict `human`.

        The customer may hear `text`, the agent reads `reason`. Raises OrderNotFound, OrderExpired, OrderClosed.
        """
        order = await self._locked(session, order_id, customer_id)
        self._ensure_open(order)
        hold(order, text=text, reason=reason)
        order.vouched_by, order.expires_at = None, self._clock.now() + HELD_LIFE
        await session.flush()
        return order

    async def vouch(
        self, session: AsyncSession, order_id: str, customer_id: str, *, by: str, grounds: str
    ) -> Order:
        """A person has made sure that the customer wants this order: they may confirm it now, with a fresh code.

        `by` answers for it, `grounds` says what was checked: a person who says it stands in for whatever else was to be
        proved, the voice whose voiceprint is to be changed or cancelled among it. Only this order goes on, as it was
        read back; a changed one is judged anew. Raises OrderNotFound, OrderNotHeld, OrderExpired, OrderClosed,
        InvalidInput without grounds.
        """
        if not grounds.strip():
            raise InvalidInput("nobody is vouched for without grounds", field="grounds")
        order = await self._locked(session, order_id, customer_id)
        self._ensure_open(order)
        if order.risk_verdict != "human":
            raise OrderNotHeld("nothing holds the order")
        now = self._clock.now()
        order.vouched_by, order.step_up, order.expires_at = by[:VOUCHER_CHARS_MAX], "otp", now + HELD_LIFE
        order.proofs = None  # what was proved before is as old as the doubts
        await session.flush()
        note(
            session,
            "order.vouched",
            at=now,
            customer_id=customer_id,
            object_kind="order",
            object_id=order.number,
            after={"by": order.vouched_by, "grounds": grounds[:GROUNDS_CHARS_MAX]},
        )
        return order

    async def missing(self, session: AsyncSession, order: Order) -> frozenset[str]:
        """What must still be proved."""
        return await missing_factors(session, self._clock, order, order.proofs or (), self._voice)

    async def voice_suffices(self, session: AsyncSession, order: Order) -> bool:
        """Whether a voice beside a log-in by code would be proof enough for this order."""
        return await voice_suffices(session, self._clock, order, self._voice)

    async def execute(
        self,
        session: AsyncSession,
        order_id: str,
        customer_id: str,
        *,
        otp_verified: bool,
        voice_verified: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> Order:
        """Does a confirmed order, once. A second call returns the same order and moves nothing.

        The status of the returned order tells what became of it: `executed`, `submitted`, `waiting` or
        `failed`; or still `confirmed`, because the risk area wants a human (`risk_verdict`) or more proof
        (`step_up` was raised). Raises OrderNotFound, OrderNotConfirmed, OrderExpired, OrderClosed,
        StepUpRequired and what guards, limits and the handler refuse; then nothing has moved and the order is
        as it was.
        """
        order = await self._locked(session, order_id, customer_id)
        if order.status in (WAITING, *DONE):
            return order
        self._ensure_open(order)
        if order.status != CONFIRMED:
            raise OrderNotConfirmed("the order was not confirmed")
        proofs = frozenset(
            factor for factor, proved in (("otp", otp_verified), ("voice", voice_verified)) if proved
        ) | frozenset(order.proofs or ())
        if missing := await missing_factors(session, self._clock, order, proofs, self._voice):
            raise StepUpRequired(f"missing proof: {', '.join(sorted(missing))}", factors=missing)
        order.proofs = sorted(proofs)
        await self._execution.run(
            session,
            order,
            risk=self._risk,
            now=self._clock.now(),
            by=_customer(order),
            context=context or {},
        )
        return order

    async def quote(
        self, session: AsyncSession, customer_id: str, kind: str, body: Mapping[str, Any]
    ) -> Quote:
        """Prices a wish without writing anything; raises OrderInvalid and what the handler refuses."""
        handler = self._handlers.get(kind)
        if handler is None:
            raise OrderInvalid("unknown order kind", field="kind")
        return await handler.price(session, await self._customers.get(session, customer_id), body)

    async def run_standing(
        self,
        session: AsyncSession,
        *,
        mandate_id: str,
        customer_id: str,
        kind: str,
        body: Mapping[str, Any],
        idempotency_key: str,
    ) -> Order:
        """Drafts, confirms and carries out one run of a mandate, on the mandate's own authority; once per key.

        The mandate was read back, confirmed and proved when it was made; a run the risk area wants a human for
        fails, because nobody is there. Raises what `draft` and `execute` raise, but no StepUpRequired; then there
        is no order.
        """
        by = Actor.bank(f"mandate:{mandate_id}"[:64])
        wish = Wish(customer_id, kind, body, idempotency_key, by.channel, None, {}, mandate_id)
        async with session.begin_nested():
            order = await self._drafting.draft(session, wish, risk=self._risk, by=by)
            order = await lock_order(session, order.id)
            if order.status != DRAFTED:
                return order
            now = self._clock.now()
            if not order.needs_human:
                order.confirmed_at = now
                await move(session, order, CONFIRMED, at=now, by=by, reason=f"mandate {mandate_id}")
                await self._execution.run(session, order, risk=self._risk, now=now, by=by, context={})
            if order.status in OPEN:
                await fail_for_human(session, order, now, by)
            return order

    async def release_due(self, database: Database, *, limit: Limit = 100) -> list[Order]:
        """Goes on with waiting orders whose time has come, each in its own transaction; returns them.

        One that is refused now (balance, limit, lock) fails with the reason. Safe with several processes.
        """
        return await self._release.release_due(database, risk=self._risk, limit=limit)

    async def cancel(
        self, session: AsyncSession, order_id: str, customer_id: str, *, reason: str = ""
    ) -> Order:
        """Gives up an order that was not executed, a waiting one too; cancelling twice changes nothing.

        Raises OrderClosed otherwise.
        """
        order = await self._locked(session, order_id, customer_id)
        if order.status == CANCELLED:
            return order
        if order.status not in CANCELLABLE:
            raise OrderClosed(
                f"order is {order.status}",
                customer_text="这笔业务已经办理或结束，不能再取消。可以问我“转账状态”查看。",
            )
        await move(session, order, CANCELLED, at=self._clock.now(), by=_customer(order), reason=reason)
        return order

    async def events(self, session: AsyncSession, order_id: str, customer_id: str) -> Sequence[OrderEvent]:
        """Every transition of this customer's order, oldest first; raises OrderNotFound."""
        await self.get(session, order_id, customer_id)
        return await history(session, order_id)

    async def get(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        """The order if it is this customer's; raises OrderNotFound."""
        order = await session.get(Order, order_id)
        if order is None or order.customer_id != customer_id:
            raise OrderNotFound("no such order of this customer")
        return order

    async def by_number(self, session: AsyncSession, number: str, customer_id: str) -> Order:
        """The order with this number if it is this customer's; raises OrderNotFound."""
        statement = select(Order).where(Order.number == number, Order.customer_id == customer_id)
        order = await session.scalar(statement)
        if order is None:
            raise OrderNotFound("no such order of this customer")
        return order

    async def by_receipt_number(self, session: AsyncSession, number: str, customer_id: str) -> Order:
        """The order this receipt is of, if it is this customer's; raises OrderNotFound."""
        statement = select(Order).where(Order.receipt_number == number, Order.customer_id == customer_id)
        order = await session.scalar(statement)
        if order is None:
            raise OrderNotFound("no such receipt of this customer")
        return order

    async def latest(
        self,
        session: AsyncSession,
        customer_id: str,
        kinds: Collection[str] | None = None,
        limit: Limit = 5,
        *,
        statuses: Collection[str] | None = None,
    ) -> Sequence[Order]:
        """The newest orders first, at most 100; `kinds` and `statuses` narrow them."""
        statement = select(Order).where(Order.customer_id == customer_id)
        if kinds is not None:
            statement = statement.where(Order.kind.in_(kinds))
        if statuses is not None:
            statement = statement.where(Order.status.in_(statuses))
        statement = statement.order_by(Order.created_at.desc(), Order.number.desc()).limit(min(limit, 100))
        return (await session.scalars(statement)).all()

    async def used_today_fen(self, session: AsyncSession, customer_id: str, group: str) -> int:
        """What the customer moved in a limit group (such as `transfers`) on today's bank date, in fen."""
        return await used_today_fen(session, customer_id, group, self._clock.now())

    async def used_this_month_fen(self, session: AsyncSession, customer_id: str, group: str) -> int:
        """The same for the month of today's bank date."""
        return await used_this_month_fen(session, customer_id, group, self._clock.now())

    async def expire_due(self, session: AsyncSession, *, limit: Limit = 500) -> int:
        """Marks at most `limit` open orders past their time as expired; returns how many."""
        now = self._clock.now()
        statement = (
            select(Order)
            .where(Order.status.in_(OPEN), Order.expires_at <= now)
            .order_by(Order.expires_at, Order.id)
            .limit(limit)
            .with_for_update(key_share=True, skip_locked=True)
            .execution_options(populate_existing=True)
        )
        orders = (await session.scalars(statement)).all()
        for order in orders:
            await move(session, order, EXPIRED, at=now, by=Actor.bank("order_expiry"))
        return len(orders)

    async def settle_due(self, database: Database, *, limit: Limit = 100) -> list[Order]:
        """Settles what outside parties still owe an answer for; returns the orders that reached an end.

        Safe to run twice, after a crash, and by several processes at once.
        """
        return await self._settlement.settle_due(database, limit)

    async def settle(self, database: Database, order_id: str) -> Order:
        """Settles one order now, even between two tries; returns it as it then is.

        An outside party that does not answer leaves it submitted, and so does one that has not opened yet. Raises
        OrderNotFound.
        """
        return await self._settlement.settle(database, order_id)

    async def untold(self, session: AsyncSession, *, limit: Limit = 100) -> Sequence[Order]:
        """Orders with an end that their conversation has not heard of, whatever crashed in between, and that are due.

        Those never tried come first: however many cannot be told, they keep nobody else waiting.
        """
        due = Order.next_tell_at.is_(None) | (Order.next_tell_at <= self._clock.now())
        statement = (
            select(Order)
            .where(Order.untold, due)
            .order_by(Order.next_tell_at.asc().nulls_first(), Order.id)
            .limit(min(limit, 100))
        )
        return (await session.scalars(statement)).all()

    async def told(self, session: AsyncSession, order_id: str) -> None:
        """The conversation has heard how the order ended; saying so twice changes nothing. Raises OrderNotFound."""
        (await lock_order(session, order_id)).untold = False

    async def telling_failed(self, session: AsyncSession, order_id: str) -> None:
        """The next try is due after twice as long as the last time, up to an hour. Raises OrderNotFound."""
        order = await lock_order(session, order_id)
        order.next_tell_at = again_at(self._clock.now(), order.tell_attempts)
        order.tell_attempts += 1

    async def _locked(self, session: AsyncSession, order_id: str, customer_id: str) -> Order:
        order = await lock_order(session, order_id)
        if order.customer_id != customer_id:
            raise OrderNotFound("no such order of this customer")
        return order

    def _ensure_open(self, order: Order) -> None:
        """Expiry is judged by the clock: `expire_due` only writes down what is true already."""
        if order.status in OPEN and self._clock.now() >= order.expires_at:
            raise OrderExpired("the order has expired")
        self._ensure_not_over(order)

    @staticmethod
    def _ensure_not_over(order: Order) -> None:
        if order.status == EXPIRED:
            raise OrderExpired("the order has expired")
        if order.status in OVER:
            raise OrderClosed(f"order is {order.status}", customer_text=order.failure_text)


def _customer(order: Order) -> Actor:
    return Actor("customer", order.customer_id, order.channel)
