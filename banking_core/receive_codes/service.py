"""Receiving codes of customers: made, replaced, taken back; and whom a code names, for the one who pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.audit import note
from banking_core.checked import checked
from banking_core.core import Core
from banking_core.money_text import mask_name, mask_number
from banking_core.receive_codes.errors import AmountRefused, OwnCode, ReceiveCodeEnded, ReceiveCodeUnknown
from banking_core.receive_codes.models import ReceiveCode
from banking_core.receive_codes.tokens import new_token

AMOUNT_FEN_MAX = 10**11  # a billion yuan; what may really be paid, the payer's limits say
HOURS_TERM = "payments.receive_code_hours"
COUNT_TERM = "payments.receive_codes_max"


@dataclass(frozen=True)
class CodePayee:
    """Whom a code names, in full: for the order of the one who pays. `shown` is what the payer may see of it."""

    name: str
    account_number: str
    amount_fen: int | None

    @property
    def shown(self) -> str:
        """*三（尾号6789）."""
        return f"{mask_name(self.name)}（{mask_number(self.account_number)}）"

    def __repr__(self) -> str:
        """Never shows name or number in full."""
        return f"CodePayee({self.shown}, amount_fen={self.amount_fen})"


@checked
class ReceiveCodes:
    """Methods that take a session never commit."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._valid = timedelta(hours=core.terms.integer(HOURS_TERM))
        self._count_max = core.terms.integer(COUNT_TERM)

    async def fixed(self, session: AsyncSession, customer_id: str, account_id: str) -> ReceiveCode:
        """The account's code without an amount, made if there is none. Raises AccountNotFound."""
        account = await self._core.accounts.own(session, customer_id, account_id)
        return await self._fixed(session, account) or await self._make(session, account, None)

    async def renewed(self, session: AsyncSession, customer_id: str, account_id: str) -> ReceiveCode:
        """A new code without an amount; the one before it ends. Raises AccountNotFound."""
        account = await self._core.accounts.own(session, customer_id, account_id)
        old = await self._fixed(session, account)
        if old is not None:
            await self._end(session, old, "replaced")
        return await self._make(session, account, None)

    async def for_amount(
        self, session: AsyncSession, customer_id: str, account_id: str, amount_fen: int
    ) -> ReceiveCode:
        """A code that asks for this amount, for some hours; too many of them end the oldest.

        Raises AccountNotFound, AmountRefused.
        """
        if not 0 < amount_fen <= AMOUNT_FEN_MAX:
            raise AmountRefused("amount out of range", field="amount_fen")
        account = await self._core.accounts.own(session, customer_id, account_id)
        asking = [code for code in await self.live(session, customer_id) if code.amount_fen is not None]
        for code in asking[self._count_max - 1 :]:
            await self._end(session, code, "replaced")
        return await self._make(session, account, amount_fen)

    async def live(self, session: AsyncSession, customer_id: str) -> Sequence[ReceiveCode]:
        """The customer's codes that can be paid, the newest first."""
        statement = (
            select(ReceiveCode)
            .where(ReceiveCode.customer_id == customer_id, ReceiveCode.ended_at.is_(None))
            .order_by(ReceiveCode.created_at.desc(), ReceiveCode.id)
        )
        return [code for code in await session.scalars(statement) if not self._is_over(code)]

    async def revoke(self, session: AsyncSession, customer_id: str) -> int:
        """Takes back every code of the customer; returns how many could still be paid."""
        codes = await self.live(session, customer_id)
        for code in codes:
            await self._end(session, code, "revoked")
        return len(codes)

    async def payee(self, session: AsyncSession, token: str, payer_id: str) -> CodePayee:
        """Whom the code names. Raises ReceiveCodeUnknown, ReceiveCodeEnded, OwnCode."""
        code = await session.scalar(select(ReceiveCode).where(ReceiveCode.token == token))
        if code is None:
            raise ReceiveCodeUnknown("no such code")
        if code.customer_id == payer_id:
            raise OwnCode("the payer's own code")
        account = await self._core.accounts.get(session, code.account_id)
        if self._is_over(code) or account.status == "closed":
            raise ReceiveCodeEnded(f"code {code.id} is over")
        holder = await self._core.customers.get(session, code.customer_id)
        return CodePayee(holder.name, account.number, code.amount_fen)

    async def _fixed(self, session: AsyncSession, account: Account) -> ReceiveCode | None:
        return await session.scalar(
            select(ReceiveCode).where(
                ReceiveCode.account_id == account.id,
                ReceiveCode.amount_fen.is_(None),
                ReceiveCode.ended_at.is_(None),
            )
        )

    async def _make(self, session: AsyncSession, account: Account, amount_fen: int | None) -> ReceiveCode:
        now = self._core.clock.now()
        code = ReceiveCode(
            token=new_token(),
            customer_id=account.customer_id,
            account_id=account.id,
            amount_fen=amount_fen,
            created_at=now,
            expires_at=None if amount_fen is None else now + self._valid,
            ended_at=None,
            ended_why=None,
        )
        session.add(code)
        await session.flush()
        after = {"account": mask_number(account.number)}
        self._note(
            session, "receive_code.made", code, after | ({"amount_fen": amount_fen} if amount_fen else {})
        )
        return code

    async def _end(self, session: AsyncSession, code: ReceiveCode, why: str) -> None:
        code.ended_at, code.ended_why = self._core.clock.now(), why
        await session.flush()
        self._note(
            session, f"receive_code.{why}", code, {"amount_fen": code.amount_fen} if code.amount_fen else {}
        )

    def _note(self, session: AsyncSession, action: str, code: ReceiveCode, after: dict[str, object]) -> None:
        """The trail names the code by its id: its token can be paid."""
        note(
            session,
            action,
            at=self._core.clock.now(),
            customer_id=code.customer_id,
            object_kind="receive_code",
            object_id=code.id,
            after=after or None,
        )

    def _is_over(self, code: ReceiveCode) -> bool:
        expired = code.expires_at is not None and self._core.clock.now() >= code.expires_at
        return code.ended_at is not None or expired
