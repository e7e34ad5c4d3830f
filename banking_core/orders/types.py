"""What an area of the bank promises when it registers a kind of order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.customers.models import Customer
from banking_core.orders.models import Order

StepUp = Literal["none", "otp", "otp_voice"]
Facts = tuple[tuple[str, str], ...]
Body = dict[str, Any]


@dataclass(frozen=True)
class PaidPayee:
    """Whom an order pays: `key` tells one payee from another, `known_since` is when the payee book had it first."""

    key: str
    known_since: datetime | None = None


@dataclass(frozen=True)
class Quote:
    """A priced and checked wish. `body` is the normalised order body, JSON values only.

    With a `source_account_id` the pipeline checks that it is the customer's, is active and can pay
    `amount_fen + fee_fen`; with a `limit_group` it checks the limits of that group (`orders.limits`) at drafting
    and, under a lock, at execution. `payee` is somebody else who is paid, by whose age limits may differ.
    """

    amount_fen: int
    fee_fen: int
    facts: Facts
    step_up: StepUp
    body: Body
    source_account_id: str | None = None
    limit_group: str | None = None
    payee: PaidPayee | None = None


@dataclass(frozen=True)
class Executed:
    """Done inside the transaction. `transaction_id` is the ledger transaction, if money moved.

    `arrives_at` is when the money is there.
    """

    receipt_facts: Facts
    transaction_id: int | None = None
    arrives_at: datetime | None = None


@dataclass(frozen=True)
class Submitted:
    """Held, to be settled with an outside party.

    If that fails the pipeline reverses `transaction_id` itself. The party is asked from `sends_at` on (None: now);
    `arrives_at` is by when the money is there.
    """

    receipt_facts: Facts
    transaction_id: int
    sends_at: datetime | None = None
    arrives_at: datetime | None = None


@dataclass(frozen=True)
class Settled:
    """The outside party's final word. When not `ok`, `failure_text` is one Chinese sentence saying why."""

    ok: bool
    receipt_facts: Facts = ()
    reference: str | None = None
    failure_code: str = ""
    failure_text: str = ""


class OrderHandler(Protocol):
    """One kind of order. `price` must be free of effects; `execute` runs inside a savepoint."""

    @property
    def kind(self) -> str:
        """The order kind, such as `transfer`."""
        ...

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Validates the body, prices it and returns the read-back; raises BankError."""
        ...

    async def execute(self, session: AsyncSession, order: Order) -> Executed | Submitted:
        """Does it once; use `order.number` in ledger keys. Raises BankError, then nothing has happened."""
        ...


@runtime_checkable
class SettlingHandler(OrderHandler, Protocol):
    """A kind of order that an outside party settles."""

    async def settle(self, order: Order) -> Settled:
        """Calls the provider, outside any transaction, with `order.number` as its idempotency key.

        Raises ProviderUnavailable when the outcome is not known; the call is then repeated later.
        """
        ...

    async def on_settled(self, session: AsyncSession, order: Order, settled: Settled) -> None:
        """Books a success (suspense to settlement account) or clears up after a failure, exactly once.

        After a failure the pipeline has already reversed `order.ledger_transaction_id`.
        """
        ...


@runtime_checkable
class AuthorisingHandler(OrderHandler, Protocol):
    """A kind that moves nothing now but lets money move later, from an account.

    Risk area and guards judge it as if it paid from there; balance and limits are left to the payments.
    """

    def paying_account_id(self, body: Mapping[str, Any]) -> str:
        """The account that will pay, of a normalised body."""
        ...


def judged_account_id(
    handler: OrderHandler, source_account_id: str | None, body: Mapping[str, Any]
) -> str | None:
    """The account an order is judged by: the one that pays now, or later."""
    if source_account_id is None and isinstance(handler, AuthorisingHandler):
        return handler.paying_account_id(body)
    return source_account_id


@dataclass(frozen=True)
class GuardSubject:
    """What a guard looks at: an order about to be drafted or executed."""

    customer_id: str
    kind: str
    amount_fen: int
    source_account_id: str | None
    phase: Literal["draft", "execute"]

    @property
    def moves_money(self) -> bool:
        """True when the customer's money would leave an account."""
        return self.source_account_id is not None


class OrderGuard(Protocol):
    """A rule of another area that may refuse an order (security locks, lost cards, risk)."""

    async def check(self, session: AsyncSession, subject: GuardSubject) -> None:
        """Raises a Refused subclass to stop the order; called at drafting and again at execution."""
        ...
