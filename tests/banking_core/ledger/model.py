"""What the ledger must do, said again in plain Python: lists that are summed anew each time, no database, no hashes.

`Model.apply(request)` gives what the ledger must answer, or raises the error it must raise; it never looks at the
ledger. Row numbers are the ledger's: whoever compares the two writes them into what the model handed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Literal

from banking_core.errors import BankError
from banking_core.ledger import (
    AlreadyReversed,
    BelowFloor,
    ExchangeInvalid,
    HoldExpired,
    HoldInvalid,
    HoldNotFound,
    HoldPosted,
    HoldVoided,
    LedgerAccountNotFound,
    LedgerKeyConflict,
    LedgerPostingInvalid,
    LedgerTransactionNotFound,
)

DECIMALS = {"CNY": 2, "USD": 2, "JPY": 0}
ENDED: dict[str, type[BankError]] = {"posted": HoldPosted, "voided": HoldVoided, "expired": HoldExpired}
Line = tuple[int, int]  # ledger account, amount_fen
HoldStatus = Literal["pending", "posted", "voided", "expired"]


@dataclass(frozen=True)
class Post:
    """Any booking; `booked_at` None is now."""

    key: str
    lines: tuple[Line, ...]
    memo: str = ""
    booked_at: datetime | None = None


@dataclass(frozen=True)
class Reverse:
    key: str
    transaction_id: int
    memo: str = ""


@dataclass(frozen=True)
class Sell:
    """An exchange."""

    key: str
    source: int
    target: int
    sold_fen: int
    rate: Fraction
    memo: str = ""


@dataclass(frozen=True)
class Place:
    key: str
    account: int
    amount_fen: int
    expires_at: datetime
    memo: str = ""


@dataclass(frozen=True)
class Spend:
    """The posting of a hold."""

    key: str
    hold_id: int
    lines: tuple[Line, ...]
    memo: str = ""


Request = Post | Reverse | Sell | Place | Spend


@dataclass
class Booked:
    """A transaction in the journal."""

    key: str
    body: tuple[object, ...]
    lines: tuple[Line, ...]
    booked_at: datetime
    reverses_id: int | None
    id: int | None = None


@dataclass
class Held:
    key: str
    body: tuple[object, ...]
    account: int
    amount_fen: int
    expires_at: datetime
    status: HoldStatus = "pending"
    posted_fen: int = 0
    id: int | None = None


@dataclass(frozen=True)
class Account:
    id: int
    currency: str
    floor_fen: int | None


@dataclass
class Model:
    """The books. `positions` are the bank's position accounts by currency."""

    now: datetime
    accounts: dict[int, Account] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    journal: list[Booked] = field(default_factory=list)
    holds: list[Held] = field(default_factory=list)

    # --- what can be read ------------------------------------------------------------------------------------

    def balance_fen(self, account: int, *, at: datetime | None = None, through: int | None = None) -> int:
        """Now, by booking time up to `at`, or in the order of writing up to transaction `through`."""
        total = 0
        for booked in self.journal:
            if at is None or booked.booked_at <= at:
                total += sum(amount for id_, amount in booked.lines if id_ == account)
            if through is not None and booked.id == through:
                break
        return total

    def held_fen(self, account: int) -> int:
        return sum(h.amount_fen for h in self.holds if h.account == account and h.status == "pending")

    def available_fen(self, account: int) -> int:
        """What may be spent; without a floor, as if it were 0."""
        return self.balance_fen(account) - self.held_fen(account) - (self.accounts[account].floor_fen or 0)

    def transaction(self, transaction_id: int) -> Booked:
        found = [booked for booked in self.journal if booked.id == transaction_id]
        if not found:
            raise LedgerTransactionNotFound
        return found[0]

    def hold(self, hold_id: int) -> Held:
        found = [held for held in self.holds if held.id == hold_id]
        if not found:
            raise HoldNotFound
        return found[0]

    # --- what can be asked for -------------------------------------------------------------------------------

    def apply(self, request: Request) -> Booked | Held:
        """The transaction or hold the ledger must answer with, new or booked before."""
        match request:
            case Post():
                return self._post(request)
            case Reverse():
                return self._reverse(request)
            case Sell():
                return self._sell(request)
            case Place():
                return self._place(request)
            case Spend():
                return self._spend(request)

    def import_history(self, posts: Sequence[Post]) -> list[Booked]:
        """Books all or none, in order of time; those that are new."""
        if len({post.key for post in posts}) < len(posts):
            raise LedgerKeyConflict
        for post in posts:
            _ensure_lines(post.lines)
        self._ensure_accounts(account for post in posts for account, _ in post.lines)
        length = len(self.journal)
        try:
            for post in sorted(posts, key=lambda post: post.booked_at or self.now):
                self._post(post)
        except BankError:
            del self.journal[length:]
            raise
        return self.journal[length:]

    def void(self, hold_id: int) -> Held:
        held = self.hold(hold_id)
        if held.status in ("posted", "expired"):
            raise ENDED[held.status]
        held.status = "voided"
        return held

    def expire(self, now: datetime, limit: int) -> list[Held]:
        due = [held for held in self.holds if held.status == "pending" and held.expires_at <= now]
        due = sorted(due, key=lambda held: (held.expires_at, held.id))[:limit]
        for held in due:
            held.status = "expired"
        return due

    def _post(self, post: Post) -> Booked:
        _ensure_lines(post.lines)
        body = ("post", post.memo, post.lines)
        if (before := self._booked_as(post.key, body)) is not None:
            return before
        return self._book(post.key, body, post.lines, booked_at=post.booked_at)

    def _reverse(self, reverse: Reverse) -> Booked:
        original = self.transaction(reverse.transaction_id)
        if original.reverses_id is not None:
            raise AlreadyReversed
        body = ("reversal", reverse.memo, original.id)
        if (before := self._booked_as(reverse.key, body)) is not None:
            return before
        if any(booked.reverses_id == original.id for booked in self.journal):
            raise AlreadyReversed
        lines = tuple((account, -amount_fen) for account, amount_fen in original.lines)
        return self._book(reverse.key, body, lines, reverses_id=original.id)

    def _sell(self, sell: Sell) -> Booked:
        self._ensure_accounts([sell.source, sell.target])
        source, target = self.accounts[sell.source].currency, self.accounts[sell.target].currency
        if source == target:
            raise ExchangeInvalid
        exact = sell.rate * Fraction(10) ** (DECIMALS[target] - DECIMALS[source])
        bought_fen = int(sell.sold_fen * exact)  # rounds down: both are positive
        if sell.sold_fen <= 0 or bought_fen == 0:
            raise ExchangeInvalid
        lines = (
            (sell.source, -sell.sold_fen),
            (self.positions[source], sell.sold_fen),
            (self.positions[target], -bought_fen),
            (sell.target, bought_fen),
        )
        body = ("exchange", sell.memo, lines, exact)
        if (before := self._booked_as(sell.key, body)) is not None:
            return before
        return self._book(sell.key, body, lines)

    def _place(self, place: Place) -> Held:
        if place.amount_fen <= 0:
            raise HoldInvalid
        self._ensure_accounts([place.account])
        body = (place.account, place.amount_fen, place.expires_at, place.memo)
        for held in self.holds:
            if held.key == place.key:
                if held.body != body:
                    raise LedgerKeyConflict
                return held
        if place.expires_at <= self.now:
            raise HoldInvalid
        floor_fen = self.accounts[place.account].floor_fen
        if floor_fen is not None and place.amount_fen > self.available_fen(place.account):
            raise BelowFloor
        held = Held(place.key, body, place.account, place.amount_fen, place.expires_at)
        self.holds.append(held)
        return held

    def _spend(self, spend: Spend) -> Booked:
        held = self.hold(spend.hold_id)
        _ensure_lines(spend.lines)
        self._ensure_accounts(account for account, _ in spend.lines)
        body = ("spend", spend.memo, spend.lines, held.id)
        if (before := self._booked_as(spend.key, body)) is not None:
            return before
        if held.status != "pending":
            raise ENDED[held.status]
        if held.expires_at <= self.now:
            raise HoldExpired
        spent_fen = -sum(amount_fen for account, amount_fen in spend.lines if account == held.account)
        if not 0 < spent_fen <= held.amount_fen:
            raise HoldInvalid
        held.status = "posted"  # it no longer counts as held when the floor is looked at
        try:
            booked = self._book(spend.key, body, spend.lines)
        except BankError:
            held.status = "pending"
            raise
        held.posted_fen = spent_fen
        return booked

    # --- rules common to all bookings ------------------------------------------------------------------------

    def _booked_as(self, key: str, body: tuple[object, ...]) -> Booked | None:
        for booked in self.journal:
            if booked.key == key:
                if booked.body != body:
                    raise LedgerKeyConflict
                return booked
        return None

    def _ensure_accounts(self, ids: Iterable[int]) -> None:
        if not set(ids) <= self.accounts.keys():
            raise LedgerAccountNotFound

    def _book(
        self,
        key: str,
        body: tuple[object, ...],
        lines: tuple[Line, ...],
        *,
        booked_at: datetime | None = None,
        reverses_id: int | None = None,
    ) -> Booked:
        self._ensure_accounts(account for account, _ in lines)
        for currency in {self.accounts[account].currency for account, _ in lines}:
            if sum(fen for account, fen in lines if self.accounts[account].currency == currency):
                raise LedgerPostingInvalid
        for account in {account for account, _ in lines}:
            moved_fen = sum(fen for id_, fen in lines if id_ == account)
            floor_fen = self.accounts[account].floor_fen
            if moved_fen < 0 and floor_fen is not None and -moved_fen > self.available_fen(account):
                raise BelowFloor
        booked = Booked(key, body, lines, booked_at or self.now, reverses_id)
        self.journal.append(booked)
        return booked


def _ensure_lines(lines: Sequence[Line]) -> None:
    if len(lines) < 2 or any(amount_fen == 0 for _, amount_fen in lines):
        raise LedgerPostingInvalid
