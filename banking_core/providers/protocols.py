"""The outside parties a bank talks to, as ports. Every call that has an effect takes an idempotency `key`:
the same key with the same request has one effect and gives the same answer, however often it is sent.

All methods raise ProviderUnavailable when the outcome is not known; repeating the call is then safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

Biller = Literal["water", "electricity", "gas", "property", "cable_tv"]
RealNameAnswer = Literal["match", "mismatch", "unknown"]
BILLERS: tuple[Biller, ...] = ("water", "electricity", "gas", "property", "cable_tv")


@dataclass(frozen=True)
class ProviderResult:
    """A final answer: done with a `reference`, or refused with a code and one Chinese sentence."""

    ok: bool
    reference: str = ""
    failure_code: str = ""
    failure_text: str = ""


@dataclass(frozen=True)
class ProviderBill:
    """A bill as its issuer knows it. `period` is the first day of the billed month."""

    id: str
    biller: Biller
    provider_name: str
    account_no: str
    period: date
    amount_fen: int
    due_on: date
    status: Literal["unpaid", "paid"]


@dataclass(frozen=True)
class InterbankPayment:
    """A payment to an account at another bank."""

    payer_name: str
    payer_account_number: str
    payee_name: str
    payee_account_number: str
    payee_bank_code: str
    amount_fen: int
    purpose: str


class SmsGateway(Protocol):
    """Sends text messages."""

    async def send(self, *, key: str, phone: str, text: str) -> None:
        """Hands one message to the carrier."""
        ...


class BillingProvider(Protocol):
    """Utility companies behind one door."""

    async def bills(self, *, biller: Biller, account_no: str) -> list[ProviderBill]:
        """Bills of one customer number at one biller, newest period first."""
        ...

    async def bill(self, bill_id: str) -> ProviderBill | None:
        """One bill, or None when unknown."""
        ...

    async def pay(self, *, key: str, bill_id: str, amount_fen: int) -> ProviderResult:
        """Pays a bill in full."""
        ...


class TopupProvider(Protocol):
    """Phone carriers behind one door."""

    async def carrier(self, phone: str) -> str | None:
        """The carrier's Chinese name for a phone number, or None when no carrier has that prefix."""
        ...

    async def topup(self, *, key: str, phone: str, amount_fen: int) -> ProviderResult:
        """Credits a prepaid phone number."""
        ...


class InterbankClearing(Protocol):
    """The clearing house between banks."""

    async def submit(self, *, key: str, payment: InterbankPayment) -> ProviderResult:
        """Sends one payment and waits for its final state."""
        ...


class RealNameRegister(Protocol):
    """The state's register of residents, or whoever answers for it."""

    async def check(self, *, key: str, name: str, id_number: str) -> RealNameAnswer:
        """Whether a name and an identity number belong together; `unknown`: nobody has the number."""
        ...
