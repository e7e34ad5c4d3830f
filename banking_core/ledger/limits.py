"""The bounds of what may be booked, checked before anything is locked or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from banking_core.ledger.errors import LedgerAccountInvalid, LedgerPostingInvalid
from banking_core.ledger.types import EntryDraft, TransactionDraft

ENTRIES_MIN = 2
ENTRIES_MAX = 100
AMOUNT_FEN_MAX = 10**14
BALANCE_FEN_MAX = 10**18  # both engines hold 64-bit integers: an overflow must be a refusal, not a crash
ID_MAX = 2**63 - 1
KEY_LENGTH_MAX = 128
MEMO_LENGTH_MAX = 200
TEXT_LIMITS = {"counterparty_name": 64, "category": 32, "summary": 100}
YEARS = range(1970, 9000)


def is_text(value: object, length_max: int, *, length_min: int = 0) -> bool:
    """True for a string that both databases can store: no NUL, no lone surrogates, within its length."""
    if not isinstance(value, str) or not length_min <= len(value) <= length_max or "\0" in value:
        return False
    if value.isascii():
        return True
    return not any("\ud800" <= character <= "\udfff" for character in value)


def is_amount(value: object) -> bool:
    """True for a whole number other than zero within the bounds of one line."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < abs(value) <= AMOUNT_FEN_MAX


def is_id(value: object) -> bool:
    """True for what can be a row's number."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= ID_MAX


def is_instant(value: object) -> bool:
    """True for an aware time within the years the databases and the hashes can hold."""
    return isinstance(value, datetime) and value.tzinfo is not None and value.year in YEARS


def check_key(key: object) -> None:
    """Raises LedgerPostingInvalid unless it can be an idempotency key."""
    if not is_text(key, KEY_LENGTH_MAX, length_min=1):
        raise LedgerPostingInvalid("key out of bounds", field="key")


def check_posting(draft: TransactionDraft) -> None:
    """Raises LedgerPostingInvalid unless the lines are bounded and non-zero."""
    check_key(draft.key)
    if not is_text(draft.kind, 32, length_min=1) or not is_text(draft.memo, MEMO_LENGTH_MAX):
        raise LedgerPostingInvalid("kind or memo out of bounds")
    if not is_instant(draft.booked_at):
        raise LedgerPostingInvalid("booked_at is naive or out of bounds", field="booked_at")
    if not isinstance(draft.entries, tuple):
        raise LedgerPostingInvalid("the lines are not a tuple")
    if not ENTRIES_MIN <= len(draft.entries) <= ENTRIES_MAX:
        raise LedgerPostingInvalid(f"{len(draft.entries)} lines; allowed are {ENTRIES_MIN} to {ENTRIES_MAX}")
    for entry in draft.entries:
        _check_entry(entry)


def _check_entry(entry: object) -> None:
    if not isinstance(entry, EntryDraft):
        raise LedgerPostingInvalid("a line is not an EntryDraft")
    if not is_id(entry.ledger_account_id):
        raise LedgerPostingInvalid("a line's account is not a ledger account's number")
    if isinstance(entry.amount_fen, bool) or not isinstance(entry.amount_fen, int):
        raise LedgerPostingInvalid("an amount is not an int of fen")
    if not is_amount(entry.amount_fen):
        raise LedgerPostingInvalid("an amount is zero or out of bounds")
    for field, length_max in TEXT_LIMITS.items():
        if not is_text(getattr(entry, field), length_max):
            raise LedgerPostingInvalid(f"{field} is no text of at most {length_max} characters")


def check_balanced(entries: Sequence[EntryDraft], currencies: Mapping[int, str]) -> None:
    """Raises LedgerPostingInvalid unless the lines sum to zero in each currency; accounts by id."""
    sums: dict[str, int] = {}
    for entry in entries:
        currency = currencies[entry.ledger_account_id]
        sums[currency] = sums.get(currency, 0) + entry.amount_fen
    for currency, total_fen in sums.items():
        if total_fen != 0:
            raise LedgerPostingInvalid(f"the {currency} lines do not sum to zero")


def check_entries(entries: object) -> tuple[EntryDraft, ...]:
    """The lines as a tuple; raises LedgerPostingInvalid for what is no sequence."""
    if not isinstance(entries, list | tuple):
        raise LedgerPostingInvalid("the lines are not a list")
    return tuple(entries)


def check_account(code: object, name: object, floor_fen: object) -> None:
    """Raises LedgerAccountInvalid for what no account can be called, or a floor above an opening balance of 0."""
    if not is_text(code, 64, length_min=1):
        raise LedgerAccountInvalid("code out of bounds", field="code")
    if not is_text(name, 64):
        raise LedgerAccountInvalid("name out of bounds", field="name")
    if floor_fen is not None and not (
        isinstance(floor_fen, int) and not isinstance(floor_fen, bool) and -BALANCE_FEN_MAX <= floor_fen <= 0
    ):
        raise LedgerAccountInvalid("an account opens at 0, its floor cannot be above", field="floor_fen")
