"""Interest on deposits: earned every day, paid at the end of the period, double entry throughout.

    each day            interest expense  --whole fen of all accounts-->  interest payable
    after the period    interest payable  --what one account earned---->  the account

A day is earned once: the account's open period says through which day it was, and it moves on in the transaction
that books the fen. A day missed while no process ran is earned later with the closing balance it had, and
interest paid late counts from the day it was due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.models import Account
from banking_core.checked import checked
from banking_core.configuration.rules import percent_to_ppm
from banking_core.core import Core
from banking_core.days import day_bounds
from banking_core.interest.accrual import ONE_DAY, accrue, earning_yuan, period_of
from banking_core.interest.errors import InterestMismatch
from banking_core.interest.models import InterestPeriod
from banking_core.ledger.models import LedgerAccount, LedgerEntry
from banking_core.ledger.types import EntryDraft, InternalAccount
from banking_core.scheduling import drain
from banking_core.storage import Database
from banking_core.transfers.banks import OUR_BANK_NAME

ACCOUNTS_PER_BATCH = 200
PAYMENTS_PER_BATCH = 25
SETTLE_DAY_TERM = "deposits.interest_day"
Sums = Mapping[int, int]


@checked
class Interest:
    """Interest of customers' accounts. Methods that take a session never commit."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rules = core.rules.interest
        self._settle_day = core.terms.integer(SETTLE_DAY_TERM)
        self._kinds = sorted({row.account for row in self._rules.rates})

    async def run(self, database: Database, day: date) -> str:
        """Earns everything up to the end of `day` and pays what periods ended by then; safe to repeat.

        Raises InterestMismatch when the books do not agree afterwards.
        """
        earned_days = paid = 0

        async def earn(session: AsyncSession) -> int:
            return await self.earn(session, day)

        while True:
            earned = await drain(database, earn)
            ended = await drain(database, self.pay_ended)
            earned_days, paid = earned_days + earned, paid + ended
            if not ended:  # after a payment the days since the end of the period are still to be earned
                break
        async with database.snapshot() as session:
            await self.reconcile(session)
        return f"account_days={earned_days} paid={paid}"

    def rate_ppm(self, kind: str, day: date) -> int:
        """The yearly rate of a kind of account on a day, in millionths; 0 before its first row."""
        begun = [row for row in self._rules.rates if row.account == kind and row.begins <= day]
        return percent_to_ppm(self._core.terms, max(begun, key=lambda row: row.begins).rate) if begun else 0

    async def accrued_fen(self, session: AsyncSession, account_id: str) -> int:
        """What an account has earned since interest was last paid, in whole fen."""
        statement = select(InterestPeriod.accrued_fen).where(
            InterestPeriod.account_id == account_id, InterestPeriod.closed_at.is_(None)
        )
        return await session.scalar(statement) or 0

    async def reconcile(self, session: AsyncSession) -> None:
        """Raises InterestMismatch unless the ledger owes exactly what the open periods say."""
        payable_id = await self._core.ledger.internal(session, InternalAccount.INTEREST_PAYABLE)
        owed = select(func.coalesce(func.sum(InterestPeriod.accrued_fen), 0)).where(
            InterestPeriod.closed_at.is_(None)
        )
        both = select(LedgerAccount.balance_fen, owed.scalar_subquery()).where(LedgerAccount.id == payable_id)
        payable_fen, owed_fen = (await session.execute(both)).one()
        if payable_fen != owed_fen:
            raise InterestMismatch(f"payable {payable_fen} fen, periods say {int(owed_fen)}")

    async def earn(self, session: AsyncSession, day: date) -> int:
        """Earns the days up to `day` of at most 200 accounts; returns how many days of accounts were new."""
        accounts = await self._behind(session, day)
        if not accounts:
            return 0
        periods = await self._open_periods(session, accounts, day)
        before = {period.account_id: period.accrued_fen for period in periods}
        by_id = {account.id: account for account in accounts}
        behind = [period for period in periods if period.through < min(day, period.ends_on)]
        if not behind:
            return 0
        first, earned_days = min(behind, key=lambda period: period.account_id), 0
        batch = f"{first.through + ONE_DAY}:{first.account_id}"  # no other batch can earn this day of this account
        with session.no_autoflush:  # many days are written as one
            while behind:
                today = min(period.through for period in behind) + ONE_DAY
                group = [period for period in behind if period.through == today - ONE_DAY]
                closing = await self._closing_fen(
                    session, [by_id[period.account_id] for period in group], today
                )
                for period in group:
                    account = by_id[period.account_id]
                    self._earn_day(period, account, closing[account.ledger_account_id])
                earned_days += len(group)
                behind = [period for period in behind if period.through < min(day, period.ends_on)]
        total_fen = sum(period.accrued_fen - before[period.account_id] for period in periods)
        if total_fen:
            await self._book_earned(session, batch, total_fen)
        await session.flush()
        return earned_days

    async def pay_ended(self, session: AsyncSession) -> int:
        """Pays and closes at most 25 periods that are earned to their end; returns how many."""
        statement = (
            select(InterestPeriod)
            .where(InterestPeriod.closed_at.is_(None), InterestPeriod.through == InterestPeriod.ends_on)
            .order_by(InterestPeriod.account_id)
            .limit(PAYMENTS_PER_BATCH)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
        periods = (await session.scalars(statement)).all()
        for period in periods:
            period.closed_at = self._core.clock.now()
            if period.accrued_fen:
                period.transaction_id = await self._book_paid(session, period, period.closed_at)
            await session.flush()  # the account's open period is closed before the next one is there
            starts_on, ends_on = self._period(period.ends_on + ONE_DAY)
            session.add(_new_period(period.account_id, starts_on, ends_on, period.remainder))
        await session.flush()
        return len(periods)

    def _period(self, day: date) -> tuple[date, date]:
        return period_of(day, self._settle_day, self._rules.settle_months)

    def _earn_day(self, period: InterestPeriod, account: Account, closing_fen: int) -> None:
        today = period.through + ONE_DAY
        yuan = earning_yuan(closing_fen, self._rules.whole_yuan)
        rate_ppm = self.rate_ppm(account.kind, today)
        fen, period.remainder = accrue(yuan, rate_ppm, self._rules.day_count, period.remainder)
        period.accrued_fen += fen
        period.yuan_days += yuan
        period.rate_ppm = rate_ppm
        period.through = today

    async def _behind(self, session: AsyncSession, day: date) -> Sequence[Account]:
        """Accounts that have not earned `day` yet, unless their period must be paid first; rising id."""
        current = and_(InterestPeriod.account_id == Account.id, InterestPeriod.closed_at.is_(None))
        has_days_left = and_(InterestPeriod.through < day, InterestPeriod.through < InterestPeriod.ends_on)
        statement = (
            select(Account)
            .outerjoin(InterestPeriod, current)
            .where(
                Account.kind.in_(self._kinds),
                Account.currency == "CNY",
                Account.status != "closed",
                Account.opened_on <= day,
                or_(InterestPeriod.account_id.is_(None), has_days_left),
            )
            .order_by(Account.id)
            .limit(ACCOUNTS_PER_BATCH)
        )
        return (await session.scalars(statement)).all()

    async def _open_periods(
        self, session: AsyncSession, accounts: Sequence[Account], day: date
    ) -> Sequence[InterestPeriod]:
        """The accounts' open periods, locked; an account without one begins with the period that holds `day`."""
        mine: ColumnElement[bool] = and_(
            InterestPeriod.account_id.in_([account.id for account in accounts]),
            InterestPeriod.closed_at.is_(None),
        )
        statement = (
            select(InterestPeriod)
            .where(mine)
            .order_by(InterestPeriod.account_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        periods = list((await session.scalars(statement)).all())
        known = {period.account_id for period in periods}
        starts_on, ends_on = self._period(day)
        fresh = [
            _new_period(account.id, max(starts_on, account.opened_on), ends_on, 0)
            for account in accounts
            if account.id not in known
        ]
        session.add_all(fresh)
        await session.flush()
        return [*periods, *fresh]

    async def _closing_fen(self, session: AsyncSession, accounts: Sequence[Account], day: date) -> Sums:
        """Closing balances of a day by ledger account, with interest that was due by then and paid later."""
        end = day_bounds(day)[1]
        later = (
            select(LedgerEntry.ledger_account_id, func.sum(LedgerEntry.amount_fen).label("fen"))
            .where(
                LedgerEntry.ledger_account_id.in_([account.ledger_account_id for account in accounts]),
                LedgerEntry.booked_at >= end,
            )
            .group_by(LedgerEntry.ledger_account_id)
            .subquery()
        )
        statement = (
            select(LedgerAccount.id, LedgerAccount.balance_fen - func.coalesce(later.c.fen, 0))
            .outerjoin(later, later.c.ledger_account_id == LedgerAccount.id)
            .where(LedgerAccount.id.in_([account.ledger_account_id for account in accounts]))
        )
        closing = {account_id: int(fen) for account_id, fen in await session.execute(statement)}
        paid_late = (
            select(Account.ledger_account_id, func.sum(InterestPeriod.accrued_fen))
            .join(Account, Account.id == InterestPeriod.account_id)
            .where(
                InterestPeriod.account_id.in_([account.id for account in accounts]),
                InterestPeriod.ends_on < day,
                InterestPeriod.closed_at >= end,
            )
            .group_by(Account.ledger_account_id)
        )
        for account_id, fen in await session.execute(paid_late):
            closing[account_id] += int(fen)
        return closing

    async def _book_earned(self, session: AsyncSession, batch: str, total_fen: int) -> None:
        ledger = self._core.ledger
        expense = await ledger.internal(session, InternalAccount.INTEREST_EXPENSE)
        payable = await ledger.internal(session, InternalAccount.INTEREST_PAYABLE)
        await ledger.post(
            session,
            key=f"interest:earned:{batch}",
            kind="interest_earned",
            memo=f"计提利息 {batch[:10]}",
            entries=[
                EntryDraft(expense, -total_fen, category="interest", summary="计提利息"),
                EntryDraft(payable, total_fen, category="interest", summary="计提利息"),
            ],
        )

    async def _book_paid(self, session: AsyncSession, period: InterestPeriod, at: datetime) -> int:
        core = self._core
        account = await core.accounts.get(session, period.account_id)
        payable = await core.ledger.internal(session, InternalAccount.INTEREST_PAYABLE)
        transaction = await core.ledger.post(
            session,
            key=f"interest:paid:{period.account_id}:{period.ends_on}",
            kind="interest_paid",
            memo=f"结息 {period.starts_on} 至 {period.ends_on}",
            booked_at=at,
            entries=[
                EntryDraft(payable, -period.accrued_fen, account.name, "interest", "结息"),
                EntryDraft(account.ledger_account_id, period.accrued_fen, OUR_BANK_NAME, "interest", "结息"),
            ],
        )
        return transaction.id


def _new_period(account_id: str, starts_on: date, ends_on: date, remainder: int) -> InterestPeriod:
    return InterestPeriod(
        account_id=account_id,
        ends_on=ends_on,
        starts_on=starts_on,
        through=starts_on - ONE_DAY,
        yuan_days=0,
        rate_ppm=0,
        accrued_fen=0,
        opening_remainder=remainder,
        remainder=remainder,
        closed_at=None,
        transaction_id=None,
    )
