"""The payee book.

Who a customer pays, found by full name or by the nickname the customer gave, never by half a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.money_text import mask_name, mask_number
from banking_core.transfers.banks import bank_name
from banking_core.transfers.errors import PayeeExists, PayeeNotFound, TransferInvalid
from banking_core.transfers.models import Payee


@checked
class Payees:
    """A customer's payee book. Never commits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def list(self, session: AsyncSession, customer_id: str) -> Sequence[Payee]:
        """All payees, the last used first, then by name."""
        statement = select(Payee).where(Payee.customer_id == customer_id, Payee.deleted_at.is_(None))
        return sorted(await session.scalars(statement), key=_usual_order)

    async def find(self, session: AsyncSession, customer_id: str, name: str) -> Sequence[Payee]:
        """Payees with exactly this name or nickname.

        Several when people share a name or have several accounts.
        """
        wanted = name.strip()
        if not wanted:
            return []
        # Names are sealed, so the book, which is short, is read and looked through here.
        return [
            payee for payee in await self.list(session, customer_id) if wanted in (payee.name, payee.nickname)
        ]

    async def get(self, session: AsyncSession, customer_id: str, payee_id: str) -> Payee:
        """The payee if it is in this customer's book; raises PayeeNotFound."""
        payee = await session.get(Payee, payee_id)
        if payee is None or payee.customer_id != customer_id or payee.deleted_at is not None:
            raise PayeeNotFound("no such payee of this customer")
        return payee

    async def count(self, session: AsyncSession, customer_id: str) -> int:
        """How many entries the book has."""
        statement = select(func.count()).where(Payee.customer_id == customer_id, Payee.deleted_at.is_(None))
        return await session.scalar(statement) or 0

    async def by_account(
        self, session: AsyncSession, customer_id: str, account_number: str, bank_code: str | None
    ) -> Payee | None:
        """The entry for an account, if any."""
        statement = select(Payee).where(
            Payee.customer_id == customer_id,
            Payee.account_number.equals(session, account_number),
            Payee.bank_code.is_(None) if bank_code is None else Payee.bank_code == bank_code,
            Payee.deleted_at.is_(None),
        )
        return (await session.scalars(statement.limit(1))).first()

    async def add(
        self,
        session: AsyncSession,
        *,
        customer_id: str,
        name: str,
        account_number: str,
        bank_code: str | None = None,
        nickname: str = "",
        created_at: datetime | None = None,
    ) -> Payee:
        """Writes an entry without asking whether name and account belong together (the order handler does).

        `created_at` is for entries brought from elsewhere. Raises PayeeExists, TransferInvalid (unknown bank).
        """
        bank = bank_name(bank_code)
        if bank is None:
            raise TransferInvalid("unknown bank code", field="bank_code")
        if await self.by_account(session, customer_id, account_number, bank_code) is not None:
            raise PayeeExists("the account is in the book")
        payee = Payee(
            customer_id=customer_id,
            name=name,
            nickname=nickname,
            account_number=account_number,
            bank_code=bank_code,
            bank_name=bank,
            created_at=created_at or self._clock.now(),
            last_used_at=None,
            deleted_at=None,
        )
        session.add(payee)
        await session.flush()
        self._note(session, "payee.added", payee, after=_shown(payee))
        return payee

    async def delete(self, session: AsyncSession, customer_id: str, payee_id: str) -> Payee:
        """Takes an entry out of the book; raises PayeeNotFound."""
        payee = await self.get(session, customer_id, payee_id)
        payee.deleted_at = self._clock.now()
        await session.flush()
        self._note(session, "payee.deleted", payee, before=_shown(payee))
        return payee

    def _note(self, session: AsyncSession, action: str, payee: Payee, **values: dict[str, str]) -> None:
        note(
            session,
            action,
            at=self._clock.now(),
            customer_id=payee.customer_id,
            object_kind="payee",
            object_id=payee.id,
            before=values.get("before"),
            after=values.get("after"),
        )

    async def touch(
        self, session: AsyncSession, customer_id: str, account_number: str, bank_code: str | None
    ) -> None:
        """Remembers that the account was paid just now, if it is in the book."""
        same_bank = Payee.bank_code.is_(None) if bank_code is None else Payee.bank_code == bank_code
        await session.execute(
            update(Payee)
            .where(
                Payee.customer_id == customer_id,
                Payee.account_number.equals(session, account_number),
                same_bank,
            )
            .values(last_used_at=self._clock.now())
        )


def _usual_order(payee: Payee) -> tuple[float, str, str]:
    """The last used first, then by name and account."""
    last_used_s = payee.last_used_at.timestamp() if payee.last_used_at else 0.0
    return (-last_used_s, payee.name, payee.account_number)


def _shown(payee: Payee) -> dict[str, str]:
    """An entry as the audit trail may show it."""
    return {
        "name": mask_name(payee.name),
        "account": mask_number(payee.account_number),
        "bank": payee.bank_name,
    }
