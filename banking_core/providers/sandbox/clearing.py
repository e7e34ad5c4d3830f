"""The clearing house. A payee account ending in 0000 is closed at the other bank: the payment is refused."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.ledger.hashing import digest
from banking_core.providers.protocols import InterbankPayment, ProviderResult
from banking_core.providers.sandbox.store import SandboxPayment, SandboxStore

CLOSED_TAIL = "0000"


@checked
class ClearingSandbox:
    """An InterbankClearing that remembers what other banks received."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    async def submit(self, *, key: str, payment: InterbankPayment) -> ProviderResult:
        """Delivers one payment, unless the payee's account is closed."""

        async def deliver(session: AsyncSession) -> ProviderResult:
            if payment.payee_account_number.endswith(CLOSED_TAIL):
                return ProviderResult(
                    ok=False, failure_code="payee_account_closed", failure_text="对方银行答复收款账户已销户"
                )
            session.add(
                SandboxPayment(
                    payee_name=payment.payee_name,
                    payee_account_number=payment.payee_account_number,
                    payee_bank_code=payment.payee_bank_code,
                    amount_fen=payment.amount_fen,
                    at=self._store.clock.now(),
                )
            )
            return ProviderResult(ok=True, reference=f"QS{digest([key])[:12].upper()}")

        return await self._store.once("clearing", key, asdict(payment), deliver)

    async def received(self, payee_account_number: str) -> tuple[int, int]:
        """How many payments an account at another bank received, and their sum in fen."""
        statement = select(func.count(), func.sum(SandboxPayment.amount_fen)).where(
            SandboxPayment.payee_account_number == payee_account_number
        )
        async with self._store.snapshot() as session:
            count, total = (await session.execute(statement)).one()
        return int(count), int(total or 0)
