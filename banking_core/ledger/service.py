"""Booking money.

Invariants, each also enforced by the database where it can be: the lines of a transaction sum to zero in each
currency; no balance, less what is held, below its floor; booked rows never change; a key books once; a transaction
is reversed at most once; a hold ends once. `docs/ledger.md` has them with isolation and lock order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked_function, checks_itself
from banking_core.clock import Clock
from banking_core.inserts import insert_if_absent
from banking_core.ledger.balances import balance_after, balance_at, standing, trial_balance
from banking_core.ledger.currencies import HOME_CURRENCY, check_currency
from banking_core.ledger.errors import (
    AlreadyReversed,
    ExchangeInvalid,
    LedgerAccountInvalid,
    LedgerPostingInvalid,
    LedgerTransactionNotFound,
)
from banking_core.ledger.exchange import bought_fen, exact_rate, exchange_entries, read_exchange
from banking_core.ledger.history import import_drafts
from banking_core.ledger.holds import expire_holds, get_hold, place_hold, post_hold, void_hold
from banking_core.ledger.limits import (
    MEMO_LENGTH_MAX,
    check_account,
    check_entries,
    check_key,
    check_posting,
    is_id,
    is_text,
)
from banking_core.ledger.models import LedgerAccount, LedgerEntry, LedgerHold, LedgerTransaction
from banking_core.ledger.posting import book
from banking_core.ledger.types import (
    INTERNAL_ACCOUNTS,
    PURPOSES,
    EntryDraft,
    Exchange,
    Head,
    InternalAccount,
    NormalSide,
    Standing,
    TransactionDraft,
    TrialBalance,
    VerifyReport,
)
from banking_core.ledger.verify import verify_ledger

HOLDS_EXPIRED_MAX = 200


@checks_itself
class Ledger:
    """The ledger of the bank. Never commits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def open_account(
        self,
        session: AsyncSession,
        *,
        code: str,
        name: str,
        kind: str,
        normal_side: NormalSide,
        floor_fen: int | None = None,
        currency: str = HOME_CURRENCY,
        purpose: str | None = None,
    ) -> LedgerAccount:
        """Opens an account with balance 0; a second call with the same code returns the first account.

        `floor_fen` None: it may be overdrawn without limit. `purpose` is one of `types.PURPOSES` of the same kind;
        left out, it is a deposit (customer) or general (internal) account. Raises LedgerAccountInvalid.
        """
        check_account(code, name, floor_fen)
        if kind not in ("customer", "internal") or normal_side not in ("debit", "credit"):
            raise LedgerAccountInvalid("unknown kind or side", field="kind")
        purpose = purpose or ("deposit" if kind == "customer" else "general")
        if not isinstance(purpose, str) or purpose not in PURPOSES or PURPOSES[purpose].kind != kind:
            raise LedgerAccountInvalid("no purpose of this kind of account", field="purpose")
        values = {
            "code": code,
            "name": name,
            "kind": kind,
            "normal_side": normal_side,
            "floor_fen": floor_fen,
            "balance_fen": 0,
            "held_fen": 0,
            "currency": check_currency(currency),
            "purpose": purpose,
        }
        await insert_if_absent(session, LedgerAccount, values, unique="code")
        return (await session.scalars(select(LedgerAccount).where(LedgerAccount.code == code))).one()

    async def open_for(
        self, session: AsyncSession, *, code: str, name: str, purpose: str, currency: str = HOME_CURRENCY
    ) -> LedgerAccount:
        """Opens an account with the kind, side and floor its purpose has (`types.PURPOSES`)."""
        if not isinstance(purpose, str) or purpose not in PURPOSES:
            raise LedgerAccountInvalid("unknown purpose", field="purpose")
        rule = PURPOSES[purpose]
        return await self.open_account(
            session,
            code=code,
            name=name,
            kind=rule.kind,
            normal_side=rule.normal_side,
            floor_fen=rule.floor_fen,
            currency=currency,
            purpose=purpose,
        )

    async def open_internal_accounts(self, session: AsyncSession) -> None:
        """Opens every account of the bank's own; safe to call again."""
        for account in INTERNAL_ACCOUNTS:
            await self.internal(session, account)

    async def internal(
        self, session: AsyncSession, account: InternalAccount, currency: str = HOME_CURRENCY
    ) -> int:
        """The id of one of the bank's own accounts in a currency; opened when first needed."""
        if not isinstance(account, InternalAccount):
            raise LedgerAccountInvalid("not an account of the bank's own", field="account")
        code, spec = account.value, INTERNAL_ACCOUNTS[account]
        if check_currency(currency) != HOME_CURRENCY:
            code = f"{code}:{currency}"
        found = await session.scalar(select(LedgerAccount.id).where(LedgerAccount.code == code))
        if found is not None:
            return found
        opened = await self.open_account(
            session,
            code=code,
            name=spec.name,
            kind="internal",
            normal_side=spec.normal_side,
            floor_fen=PURPOSES[spec.purpose].floor_fen,
            currency=currency,
            purpose=spec.purpose,
        )
        return opened.id

    async def post(
        self,
        session: AsyncSession,
        *,
        key: str,
        kind: str,
        entries: Sequence[EntryDraft],
        memo: str,
        booked_at: datetime | None = None,
    ) -> LedgerTransaction:
        """Books the lines once per `key`; they sum to zero in each currency.

        The same key with the same body returns the first transaction and moves nothing. Raises
        LedgerKeyConflict (same key, other body), LedgerPostingInvalid, LedgerAccountNotFound, BelowFloor;
        then nothing is booked.
        """
        booked = self._clock.now() if booked_at is None else booked_at
        draft = TransactionDraft(key, kind, memo, booked, check_entries(entries))
        check_posting(draft)
        return await book(session, draft)

    async def reverse(
        self,
        session: AsyncSession,
        transaction_id: int,
        key: str,
        *,
        memo: str = "冲正",
        summary: str | None = None,
        category: str | None = None,
    ) -> LedgerTransaction:
        """Books the opposite of a transaction, at most once in its life.

        Lines keep their order; `summary` and `category` replace those of the lines. The same key returns the
        first reversal. Raises AlreadyReversed, LedgerTransactionNotFound, BelowFloor (the money is gone
        already).
        """
        original = await self.transaction(session, transaction_id)
        if not is_text(memo, MEMO_LENGTH_MAX) or not (summary is None or is_text(summary, 100)):
            raise LedgerPostingInvalid("memo or summary out of bounds")
        if original.reverses_id is not None:
            raise AlreadyReversed(f"transaction {transaction_id} is a reversal")
        lines = await self.entries(session, transaction_id)
        drafts = tuple(
            EntryDraft(
                ledger_account_id=line.ledger_account_id,
                amount_fen=-line.amount_fen,
                counterparty_name=line.counterparty_name,
                category=line.category if category is None else category,
                summary=f"{memo}：{line.summary}"[:100] if summary is None else summary,
            )
            for line in lines
        )
        draft = TransactionDraft(key, "reversal", memo, self._clock.now(), drafts, reverses_id=transaction_id)
        check_posting(draft)
        return await book(session, draft)

    async def exchange(
        self,
        session: AsyncSession,
        *,
        key: str,
        source_id: int,
        target_id: int,
        sold_fen: int,
        rate: Fraction | Decimal | int,
        memo: str = "",
    ) -> Exchange:
        """Sells `sold_fen` minor units of the source account's currency into the target account, once per `key`.

        `rate` is target units per source unit (7.1234 CNY per USD), never a float. The customer gets the product
        rounded down to a minor unit; the rest stays in the bank's position (see `ledger.exchange`). Raises
        ExchangeInvalid and what `post` raises.
        """
        source = await standing(session, source_id)
        target = await standing(session, target_id)
        if source.currency == target.currency:
            raise ExchangeInvalid("both accounts are in one currency", field="target_id")
        check_key(key)
        exact = exact_rate(rate, source.currency, target.currency)
        bought_fen(sold_fen, exact)  # refused before a position account is opened for it
        position = InternalAccount.FX_POSITION
        positions = (
            await self.internal(session, position, source.currency),
            await self.internal(session, position, target.currency),
        )
        entries = exchange_entries(source_id, target_id, positions, sold_fen, exact)
        draft = TransactionDraft(key, "exchange", memo, self._clock.now(), entries, rate=str(exact))
        check_posting(draft)
        transaction = await book(session, draft)
        return read_exchange(transaction, await self.entries(session, transaction.id))

    async def place_hold(
        self,
        session: AsyncSession,
        *,
        key: str,
        ledger_account_id: int,
        amount_fen: int,
        expires_at: datetime,
        memo: str = "",
    ) -> LedgerHold:
        """Sets money aside, once per `key`: it stays in the balance but is no longer available.

        The same key with the same body returns the first hold, whatever became of it. Raises HoldInvalid,
        LedgerKeyConflict, LedgerAccountNotFound, BelowFloor.
        """
        return await place_hold(
            session,
            key=key,
            ledger_account_id=ledger_account_id,
            amount_fen=amount_fen,
            expires_at=expires_at,
            memo=memo,
            now=self._clock.now(),
        )

    async def post_hold(
        self,
        session: AsyncSession,
        hold_id: int,
        *,
        key: str,
        kind: str,
        entries: Sequence[EntryDraft],
        memo: str,
    ) -> LedgerTransaction:
        """Ends a pending hold by booking lines that spend 1..amount of it; what they leave is free again.

        The same key with the same body returns the first transaction. Raises HoldNotFound, HoldPosted, HoldVoided,
        HoldExpired (also when its time is over but `expire_holds` has not come by), HoldInvalid (spends nothing or
        too much), and what `post` raises; then the hold is as it was.
        """
        draft = TransactionDraft(key, kind, memo, self._clock.now(), check_entries(entries))
        return await post_hold(session, hold_id, draft)

    async def void_hold(self, session: AsyncSession, hold_id: int) -> LedgerHold:
        """Gives a pending hold back; voiding it again changes nothing. Raises HoldNotFound, HoldPosted, HoldExpired."""
        return await void_hold(session, hold_id, self._clock.now())

    async def expire_holds(
        self, session: AsyncSession, now: datetime, *, limit: int = HOLDS_EXPIRED_MAX
    ) -> Sequence[LedgerHold]:
        """Ends pending holds whose time is over, at most `limit`; a job calls it now and then.

        Safe from several processes at once: each hold expires once. None returned means that nothing was due or
        another process was faster.
        """
        return await expire_holds(session, now, limit)

    async def hold(self, session: AsyncSession, hold_id: int) -> LedgerHold:
        """A hold as it is now; raises HoldNotFound."""
        hold = await get_hold(session, hold_id)
        await session.refresh(hold)
        return hold

    async def transaction(self, session: AsyncSession, transaction_id: int) -> LedgerTransaction:
        """A booked transaction; raises LedgerTransactionNotFound."""
        found = await session.get(LedgerTransaction, transaction_id) if is_id(transaction_id) else None
        if found is None:
            raise LedgerTransactionNotFound("no such transaction")
        return found

    async def balance_fen(self, session: AsyncSession, ledger_account_id: int) -> int:
        """The balance now; raises LedgerAccountNotFound."""
        return (await standing(session, ledger_account_id)).balance_fen

    async def standing(self, session: AsyncSession, ledger_account_id: int) -> Standing:
        """Balance, holds, floor and what is available now; raises LedgerAccountNotFound."""
        return await standing(session, ledger_account_id)

    async def balance_at(self, session: AsyncSession, ledger_account_id: int, at: datetime) -> int:
        """The balance as of an instant, by booking time; raises LedgerAccountNotFound."""
        return await balance_at(session, ledger_account_id, at)

    async def balance_after(self, session: AsyncSession, ledger_account_id: int, transaction_id: int) -> int:
        """The balance when that transaction had been written, whatever its booking time."""
        return await balance_after(session, ledger_account_id, transaction_id)

    async def trial_balance(
        self, session: AsyncSession, at: datetime | None = None
    ) -> tuple[TrialBalance, ...]:
        """Debits and credits of each currency, now or as of a booking time."""
        return await trial_balance(session, at)

    @checked_function
    async def entries(self, session: AsyncSession, transaction_id: int) -> Sequence[LedgerEntry]:
        """The lines of a transaction in booking order; none for an unknown transaction."""
        if not is_id(transaction_id):
            return []
        statement = (
            select(LedgerEntry).where(LedgerEntry.transaction_id == transaction_id).order_by(LedgerEntry.id)
        )
        return (await session.scalars(statement)).all()

    async def import_history(self, session: AsyncSession, drafts: Sequence[TransactionDraft]) -> int:
        """Books many past transactions in one pass, in order of `booked_at`; returns how many were new.

        Same invariants and errors as `post`; drafts whose key is booked with the same body are skipped.
        """
        return await import_drafts(session, drafts)

    @checked_function
    async def verify(self, session: AsyncSession, heads: Sequence[Head] = ()) -> VerifyReport:
        """Recomputes every hash, sum, balance and hold; names each row that does not fit.

        `heads` are chain ends written down earlier (`VerifyReport.heads`): the ledger must still contain them.
        """
        return await verify_ledger(session, heads)
