"""Random operations in random order, each compared with the plain model; every invariant after every step.

A failure is shrunk to the few steps that show it and printed as code. The runs are the same each time (derandomize).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import ManualClock
from banking_core.errors import BankError
from banking_core.ledger import (
    Batcher,
    EntryDraft,
    InternalAccount,
    Ledger,
    LedgerAccount,
    LedgerEntry,
    LedgerHold,
    LedgerTransaction,
    Receipt,
    TransactionDraft,
)
from banking_core.ledger.types import PURPOSES
from banking_core.storage import Database
from tests.banking_core.engines import ENGINES, CopyOf, examples
from tests.banking_core.ledger.model import (
    Account,
    Booked,
    Held,
    Line,
    Model,
    Place,
    Post,
    Request,
    Reverse,
    Sell,
    Spend,
)
from tests.postgres import make_template

START = datetime(2026, 1, 1, tzinfo=UTC)
FX_POSITION = InternalAccount.FX_POSITION
CURRENCIES = ("CNY", "USD", "JPY")
NOWHERE = 999_999
MORE = 10 if os.environ.get("ZHANGGUI_LONG_TESTS") == "1" else 1
Opened = Callable[[], Database]
Result = TypeVar("Result")

keys = st.integers(0, 9)  # 9: the key of an earlier request, else a new one
places = st.integers(
    0, 63
)  # one of the accounts, transactions, holds or requests there are, counted round from the newest
amounts = st.integers(1, 400)
edges = st.sampled_from([None, None, 0, 1])  # else: all that is available, or one more
signed = amounts | amounts.map(lambda amount_fen: -amount_fen)
lines = st.lists(st.tuples(places, signed), min_size=1, max_size=4)
balanced = st.sampled_from([True] * 9 + [False])
memos = st.sampled_from(["", "房租"])
seconds = st.sampled_from([1, 60, 3600])
rates = st.fractions(min_value=Fraction(1, 50), max_value=50, max_denominator=10_000)


class LedgerMachine(RuleBasedStateMachine):
    """The ledger on a database of its own beside the model."""

    def __init__(self, opened: Opened) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock(START)
        self.ledger = Ledger(self.clock)
        self.model = Model(START)
        self.worlds: dict[str, int] = {}
        self.hashes: dict[int, str] = {}
        self.requests: list[Request] = []
        self.database = opened()
        self.batcher = Batcher(self.database, self.clock)
        self.runner.run(self.batcher.__aenter__())

    def teardown(self) -> None:
        try:
            self.runner.run(self.verify())
        finally:
            self.runner.run(self.batcher.__aexit__(None, None, None))
            self.runner.run(self.database.close())
            self.runner.close()

    # --- opening -----------------------------------------------------------------------------------------------

    @initialize(funds_fen=st.lists(st.integers(1, 1000), min_size=4, max_size=4))
    def open_books(self, funds_fen: list[int]) -> None:
        """A world outside and a position in each currency; two customers with yuan, one with dollars, one with yen."""
        for currency in CURRENCIES:
            self.worlds[currency] = self._open(f"world:{currency}", "general", currency)
            position = self._write(lambda session, c=currency: self.ledger.internal(session, FX_POSITION, c))
            self.model.accounts[position] = Account(position, currency, None)
            self.model.positions[currency] = position
        for number, (currency, fund_fen) in enumerate(zip(("CNY", *CURRENCIES), funds_fen, strict=True)):
            account = self._open(f"first:{number}", "deposit", currency)
            self._ask(Post(f"fund:{number}", ((self.worlds[currency], -fund_fen), (account, fund_fen))))

    @rule(
        number=st.integers(0, 3),
        purpose=st.sampled_from(sorted(PURPOSES)),
        currency=st.sampled_from(CURRENCIES),
    )
    def open_account(self, number: int, purpose: str, currency: str) -> None:
        self._open(f"{purpose}:{currency}:{number}", purpose, currency)

    @rule(number=st.integers(0, 3), limit_fen=st.integers(0, 500))
    def open_credit_card(self, number: int, limit_fen: int) -> None:
        """A card may be overdrawn to its limit; the first limit stays."""
        self._open(f"card:{number}", "credit_card", "CNY", floor_fen=-limit_fen)

    def _open(self, code: str, purpose: str, currency: str, *, floor_fen: int | None = None) -> int:
        spec = PURPOSES[purpose]

        async def work(session: AsyncSession) -> LedgerAccount:
            if floor_fen is None:
                return await self.ledger.open_for(
                    session, code=code, name="测试", purpose=purpose, currency=currency
                )
            return await self.ledger.open_account(
                session,
                code=code,
                name="测试",
                kind=spec.kind,
                normal_side=spec.normal_side,
                purpose=purpose,
                currency=currency,
                floor_fen=floor_fen,
            )

        row = self._write(work)
        opened = Account(row.id, currency, spec.floor_fen if floor_fen is None else floor_fen)
        return self.model.accounts.setdefault(row.id, opened).id

    # --- asking ------------------------------------------------------------------------------------------------

    @rule(number=keys, lines=lines, balanced=balanced, memo=memos, ago_s=st.just(0) | seconds)
    def post(self, number: int, lines: list[Line], balanced: bool, memo: str, ago_s: int) -> None:
        """A booking of any lines; some have an earlier booking time."""
        booked_at = self.clock.now() - timedelta(seconds=ago_s) if ago_s else None
        self._ask(Post(self._key(number), self._closed(lines, balanced=balanced), memo, booked_at))

    @rule(number=keys, payer=places, payee=places, amount_fen=amounts)
    def transfer(self, number: int, payer: int, payee: int, amount_fen: int) -> None:
        self._ask(
            Post(self._key(number), ((self._account(payer), -amount_fen), (self._account(payee), amount_fen)))
        )

    @rule(number=keys, place=places, memo=memos)
    def reverse(self, number: int, place: int, memo: str) -> None:
        journal = self.model.journal
        self._ask(Reverse(self._key(number), journal[-1 - place % len(journal)].id or NOWHERE, memo))

    @rule(number=keys, seller=places, buyer=places, sold_fen=st.integers(0, 400), rate=rates)
    def exchange(self, number: int, seller: int, buyer: int, sold_fen: int, rate: Fraction) -> None:
        self._ask(Sell(self._key(number), self._account(seller), self._account(buyer), sold_fen, rate))

    @rule(number=keys, place=places, amount_fen=amounts, edge=edges, for_s=seconds)
    def place_hold(self, number: int, place: int, amount_fen: int, edge: int | None, for_s: int) -> None:
        account, expires_at = self._account(place), self.clock.now() + timedelta(seconds=for_s)
        held_fen = self._amount(account, amount_fen, edge)
        self._ask(Place(self._key(number), account, held_fen, expires_at))

    @precondition(lambda self: self.model.holds)
    @rule(number=keys, place=places, thirds=st.sampled_from([3, 2, 1, 3, 2, 0, 4]), lines=st.just([]) | lines)
    def post_hold(self, number: int, place: int, thirds: int, lines: list[Line]) -> None:
        """Spends nothing, some, all or too much of a hold, with other lines or without."""
        held = self._hold(place)
        closed = self._closed(lines, ((held.account, -held.amount_fen * thirds // 3),))
        self._ask(Spend(self._key(number), held.id or NOWHERE, closed))

    @rule(
        number=keys,
        what=st.sampled_from(["source", "target", "exchange", "hold", "posting", "reversal", "past"]),
    )
    def ask_for_what_is_not_there(self, number: int, what: str) -> None:
        """Accounts, holds and transactions that do not exist, and a hold whose time is over when it is placed."""
        account, now = self._account(0), self.clock.now()
        wrong: dict[str, Request] = {
            "source": Post(self._key(number), ((NOWHERE, -1), (account, 1))),
            "target": Post(self._key(number), ((account, -1), (NOWHERE, 1))),
            "exchange": Sell(self._key(number), account, NOWHERE, 1, Fraction(1)),
            "hold": Place(self._key(number), NOWHERE, 1, now + timedelta(seconds=1)),
            "posting": Spend(self._key(number), NOWHERE, ((account, -1), (account, 1))),
            "reversal": Reverse(self._key(number), NOWHERE),
            "past": Place(self._key(number), account, 1, now),
        }
        self._ask(wrong[what])

    @rule(place=places)
    def ask_again(self, place: int) -> None:
        """The same key with the same body: the first result, or the same refusal unless the books have changed."""
        self._ask(self.requests[-1 - place % len(self.requests)])

    @rule(place=places)
    def ask_for_something_else(self, place: int) -> None:
        """The same key with another body."""
        request = self.requests[-1 - place % len(self.requests)]
        self._ask(replace(request, memo=request.memo + "，改"))

    @rule(posts=st.lists(st.tuples(keys, lines, balanced), min_size=1, max_size=6))
    def batch(self, posts: list[tuple[int, list[Line], bool]]) -> None:
        """Group commit: each of the batch is accepted or refused after those before it."""
        asked = [Post(self._key(number), self._closed(lines, balanced=even)) for number, lines, even in posts]

        async def together() -> list[object]:
            return await asyncio.gather(
                *(
                    self.batcher.post(key=post.key, kind="post", entries=_drafts(post), memo=post.memo)
                    for post in asked
                ),
                return_exceptions=True,
            )

        outcomes = self.runner.run(together())
        for post, outcome in zip(asked, outcomes, strict=True):
            expected = _outcome(lambda post=post: self.model.apply(post))
            if isinstance(expected, Booked):
                assert isinstance(outcome, Receipt), outcome
                self._same_row(expected, outcome.transaction_id)
            else:
                assert type(outcome) is expected
            self.requests.append(post)

    @rule(posts=st.lists(st.tuples(keys, lines, st.integers(1, 90)), max_size=4))
    def import_history(self, posts: list[tuple[int, list[Line], int]]) -> None:
        """A past is booked whole or not at all."""
        asked = [
            Post(self._key(number), self._closed(lines), booked_at=self.clock.now() - timedelta(days=days))
            for number, lines, days in posts
        ]
        drafts = [
            TransactionDraft(post.key, "post", post.memo, post.booked_at or START, tuple(_drafts(post)))
            for post in asked
        ]
        expected = _outcome(lambda: self.model.import_history(asked))
        actual = self._attempt(lambda session: self.ledger.import_history(session, drafts))
        if isinstance(expected, list):
            assert actual == len(expected)
            self._learn_ids(expected)
        else:
            assert actual is expected

    # --- holds and time ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.holds)
    @rule(place=places)
    def void_hold(self, place: int) -> None:
        hold_id = self._hold(place).id or NOWHERE
        expected = _outcome(lambda: self.model.void(hold_id))
        actual = self._attempt(lambda session: self.ledger.void_hold(session, hold_id))
        if isinstance(expected, Held):
            assert isinstance(actual, LedgerHold)
            self._same_row(expected, actual.id)
        else:
            assert actual is expected

    @precondition(lambda self: self.model.holds)
    @rule(limit=st.integers(1, 3), ahead_s=st.sampled_from([0, 60, 4000]))
    def expire_holds(self, limit: int, ahead_s: int) -> None:
        """The job tells the ledger what time it is; some are fast."""
        now = self.clock.now() + timedelta(seconds=ahead_s)
        expected = self.model.expire(now, limit)
        ended = self._write(lambda session: self.ledger.expire_holds(session, now, limit=limit))
        assert {hold.id for hold in ended} == {held.id for held in expected}

    @rule(passed_s=seconds, to_the_end_of_a_hold=st.booleans())
    def time_passes(self, passed_s: int, to_the_end_of_a_hold: bool) -> None:
        ends = [held.expires_at for held in self.model.holds if held.expires_at > self.clock.now()]
        if to_the_end_of_a_hold and ends:
            passed_s = (min(ends) - self.clock.now()).seconds
        self.clock.advance(seconds=passed_s)
        self.model.now = self.clock.now()

    # --- looking -----------------------------------------------------------------------------------------------

    @rule(place=places, other=places, from_then_us=st.integers(-1, 1))
    def balances_of_the_past(self, place: int, other: int, from_then_us: int) -> None:
        """As of a transaction, and as of the microseconds around its booking time."""
        account = self._account(place)
        booked = self.model.journal[-1 - other % len(self.model.journal)]
        transaction_id, at = booked.id or NOWHERE, booked.booked_at + timedelta(microseconds=from_then_us)
        expected = [
            self.model.balance_fen(account, at=at),
            self.model.balance_fen(account, through=transaction_id),
        ]

        async def look(session: AsyncSession) -> list[int]:
            return [
                await self.ledger.balance_at(session, account, at),
                await self.ledger.balance_after(session, account, transaction_id),
            ]

        assert self._read(look) == expected
        trial = self._read(lambda session: self.ledger.trial_balance(session, at))
        assert all(currency.balanced for currency in trial)

    @invariant()
    def the_books_are_sound_and_what_the_model_says(self) -> None:
        """Every account, line and hold, and nothing else: so a refusal has written nothing."""
        books = self._read(_books)
        _assert_sound(*books)
        accounts, journal, holds = books
        model = self.model
        assert {row.id: (row.currency, row.floor_fen, row.balance_fen, row.held_fen) for row in accounts} == {
            account.id: (
                account.currency,
                account.floor_fen,
                model.balance_fen(account.id),
                model.held_fen(account.id),
            )
            for account in model.accounts.values()
        }
        assert [(row.id, row.key, row.booked_at, row.reverses_id) for row, _ in journal] == [
            (booked.id, booked.key, booked.booked_at, booked.reverses_id) for booked in model.journal
        ]
        assert [lines for _, lines in journal] == [booked.lines for booked in model.journal]
        assert {row.id: (row.key, row.status, row.posted_fen) for row in holds} == {
            held.id: (held.key, held.status, held.posted_fen) for held in model.holds
        }
        hashes = {row.id: row.hash for row, _ in journal}
        assert hashes.items() >= self.hashes.items(), "what was booked has changed"
        self.hashes = hashes

    async def verify(self) -> None:
        async with self.database.snapshot() as session:
            report = await self.ledger.verify(session)
        assert report.ok, report.problems
        assert report.transaction_count == len(self.model.journal)
        assert report.hold_count == len(self.model.holds)

    # --- the comparison ----------------------------------------------------------------------------------------

    def _key(self, number: int) -> str:
        """Keys of one batch may be new and equal."""
        return self.requests[-1].key if number == 9 else f"k{len(self.requests)}:{number}"

    def _account(self, place: int) -> int:
        ids = list(self.model.accounts)
        return ids[-1 - place % len(ids)]

    def _amount(self, account: int, amount_fen: int, edge: int | None) -> int:
        if edge is None:
            return amount_fen
        return max(1, self.model.available_fen(account) + edge)

    def _hold(self, place: int) -> Held:
        """Pending ones come first, so that most steps find one."""
        holds = sorted(
            self.model.holds, key=lambda held: (held.status != "pending", -self.model.holds.index(held))
        )
        return holds[place % len(holds)]

    def _closed(
        self, lines: list[Line], first: tuple[Line, ...] = (), *, balanced: bool = True
    ) -> tuple[Line, ...]:
        """The lines, their places made accounts, and what is left over in each currency from the world outside."""
        closed = [*first, *((self._account(place), amount_fen) for place, amount_fen in lines)]
        for currency, world in self.worlds.items():
            left_fen = sum(fen for id_, fen in closed if self.model.accounts[id_].currency == currency)
            if balanced and left_fen:
                closed.append((world, -left_fen))
        return tuple(closed)

    def _ask(self, request: Request) -> None:
        """The ledger and the model get the same request and must say the same."""
        self.requests.append(request)
        expected = _outcome(lambda: self.model.apply(request))
        actual = self._attempt(lambda session: self._call(session, request))
        if isinstance(expected, Booked | Held):
            assert isinstance(actual, int), actual
            self._same_row(expected, actual)
        else:
            assert actual is expected

    async def _call(self, session: AsyncSession, request: Request) -> int:
        ledger, key, memo = self.ledger, request.key, request.memo
        match request:
            case Post():
                booked = await ledger.post(
                    session,
                    key=key,
                    kind="post",
                    entries=_drafts(request),
                    memo=memo,
                    booked_at=request.booked_at,
                )
                return booked.id
            case Reverse():
                return (await ledger.reverse(session, request.transaction_id, key, memo=memo)).id
            case Sell(source=source, target=target, sold_fen=sold_fen, rate=rate):
                done = await ledger.exchange(
                    session,
                    key=key,
                    source_id=source,
                    target_id=target,
                    sold_fen=sold_fen,
                    rate=rate,
                    memo=memo,
                )
                return done.transaction_id
            case Place(account=account, amount_fen=amount_fen, expires_at=expires_at):
                placed = await ledger.place_hold(
                    session,
                    key=key,
                    ledger_account_id=account,
                    amount_fen=amount_fen,
                    expires_at=expires_at,
                    memo=memo,
                )
                return placed.id
            case Spend(hold_id=hold_id):
                spent = await ledger.post_hold(
                    session, hold_id, key=key, kind="spend", entries=_drafts(request), memo=memo
                )
                return spent.id

    def _same_row(self, expected: Booked | Held, row_id: int) -> None:
        """A new row's number is learnt, an old one's must be the same."""
        if expected.id is None:
            rows: list[Booked] | list[Held] = (
                self.model.journal if isinstance(expected, Booked) else self.model.holds
            )
            assert row_id not in {row.id for row in rows}
            expected.id = row_id
        assert expected.id == row_id

    def _learn_ids(self, new: list[Booked]) -> None:
        ids = {row.key: row.id for row, _ in self._read(_books)[1]}
        for booked in new:
            self._same_row(booked, ids[booked.key])

    def _write(self, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        async def run() -> Result:
            return await self.database.run(work)

        return self.runner.run(run())

    def _attempt(self, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result | type[BankError]:
        """What it gives, or the error's class. The caller commits after a refusal: it must have written nothing."""

        async def run(session: AsyncSession) -> Result | type[BankError]:
            try:
                return await work(session)
            except BankError as error:
                return type(error)

        return self._write(run)

    def _read(self, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        async def run() -> Result:
            async with self.database.snapshot() as session:
                return await work(session)

        return self.runner.run(run())


Books = tuple[list[LedgerAccount], list[tuple[LedgerTransaction, tuple[Line, ...]]], list[LedgerHold]]


async def _books(session: AsyncSession) -> Books:
    accounts = list(await session.scalars(select(LedgerAccount)))
    entries = list(await session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)))
    journal = [
        (row, tuple((e.ledger_account_id, e.amount_fen) for e in entries if e.transaction_id == row.id))
        for row in await session.scalars(select(LedgerTransaction).order_by(LedgerTransaction.id))
    ]
    return accounts, journal, list(await session.scalars(select(LedgerHold)))


def _drafts(request: Post | Spend) -> list[EntryDraft]:
    return [EntryDraft(account, amount_fen) for account, amount_fen in request.lines]


def _assert_sound(
    accounts: list[LedgerAccount],
    journal: list[tuple[LedgerTransaction, tuple[Line, ...]]],
    _holds: list[LedgerHold],
) -> None:
    """What the rows must satisfy by themselves, without the model."""
    for currency in CURRENCIES:
        assert sum(row.balance_fen for row in accounts if row.currency == currency) == 0
    for row in accounts:
        assert row.held_fen >= 0
        assert row.floor_fen is None or row.balance_fen - row.held_fen >= row.floor_fen
    reversed_ids = [row.reverses_id for row, _ in journal if row.reverses_id is not None]
    assert len(reversed_ids) == len(set(reversed_ids)), "reversed twice"
    assert not {row.id for row, _ in journal if row.reverses_id is not None} & set(reversed_ids)


def _outcome(ask: Callable[[], Result]) -> Result | type[BankError]:
    try:
        return ask()
    except BankError as error:
        return type(error)


def explore(opened: Opened, part: int) -> None:
    """Few runs for each seed: after the tenth Hypothesis goes on with variations of those it has made."""

    @seed(part)
    def machine() -> LedgerMachine:
        return LedgerMachine(opened)

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=50,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _without_flushing(connection: Any, _record: object) -> None:
    """Nothing here tells whether a commit would survive a power cut."""
    connection.execute("PRAGMA synchronous=OFF").close()


@pytest.mark.parametrize(
    ("engine_name", "part"),
    [(engine, part) for engine in ENGINES for part in range(examples(engine, 6 * MORE))],
    indirect=["engine_name"],
)
def test_the_ledger_does_what_the_model_says(part: int, database_url: str, copy_of: CopyOf) -> None:
    asyncio.run(make_template(database_url))

    def opened() -> Database:
        database = Database(copy_of(database_url), pool_size=2)
        if database.is_sqlite:
            event.listen(database.engine.sync_engine, "connect", _without_flushing)
        return database

    explore(opened, part)
