"""Exchanging one currency for another in one transaction, through the bank's position accounts.

    source  (USD)            -sold        position (USD)  +sold
    position (CNY)           -bought      target (CNY)    +bought

Rounding rule: bought = floor(sold x rate), in minor units of the target currency. The fraction of a minor unit that
rounding leaves behind stays in the bank's position account; it is exact and provable, because the transaction keeps
the rate as a fraction (`ledger_transaction.rate`, part of the hashed body).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from banking_core.ledger.currencies import MINOR_DIGITS
from banking_core.ledger.errors import ExchangeInvalid
from banking_core.ledger.limits import is_amount
from banking_core.ledger.models import LedgerEntry, LedgerTransaction
from banking_core.ledger.types import EntryDraft, Exchange

RATE_PART_MAX = 10**24  # of numerator and denominator: finer than any quoted rate, small enough to store


def exact_rate(rate: Fraction | Decimal | int, source: str, target: str) -> Fraction:
    """Target minor units per source minor unit, from target units per source unit (CNY per USD). No floats.

    Raises ExchangeInvalid.
    """
    if isinstance(rate, bool) or not isinstance(rate, Fraction | Decimal | int):
        raise ExchangeInvalid("the rate is not a Fraction, Decimal or int", field="rate")
    if isinstance(rate, Decimal) and (not rate.is_finite() or not -30 <= rate.adjusted() <= 30):
        raise ExchangeInvalid("the rate is no usable number", field="rate")
    exact = Fraction(rate) * Fraction(10) ** (MINOR_DIGITS[target] - MINOR_DIGITS[source])
    if not 0 < exact.numerator <= RATE_PART_MAX or exact.denominator > RATE_PART_MAX:
        raise ExchangeInvalid("the rate is out of bounds", field="rate")
    return exact


def bought_fen(sold_fen: int, rate: Fraction) -> int:
    """What the customer gets, rounded down; raises ExchangeInvalid when that is nothing."""
    if not is_amount(sold_fen) or sold_fen <= 0:
        raise ExchangeInvalid("the amount is not a positive int of fen within bounds", field="sold_fen")
    bought = sold_fen * rate.numerator // rate.denominator
    if not is_amount(bought):
        raise ExchangeInvalid("the exchange gives nothing, or more than can be booked", field="sold_fen")
    return bought


def exchange_entries(
    source_id: int, target_id: int, positions: tuple[int, int], sold_fen: int, rate: Fraction
) -> tuple[EntryDraft, ...]:
    """The four lines; `positions` are those of the source's and the target's currency."""
    bought = bought_fen(sold_fen, rate)
    sell = {"category": "exchange", "summary": "售出外汇"}
    buy = {"category": "exchange", "summary": "买入外汇"}
    return (
        EntryDraft(source_id, -sold_fen, **sell),
        EntryDraft(positions[0], sold_fen, **sell),
        EntryDraft(positions[1], -bought, **buy),
        EntryDraft(target_id, bought, **buy),
    )


def read_exchange(transaction: LedgerTransaction, lines: Sequence[LedgerEntry]) -> Exchange:
    """What a booked exchange did; raises ExchangeInvalid when its lines do not follow from its rate."""
    try:
        rate = Fraction(transaction.rate or "")
        source, _, _, target = lines
    except (ValueError, ZeroDivisionError) as error:
        raise ExchangeInvalid(f"transaction {transaction.id} is no exchange") from error
    sold, bought = -source.amount_fen, target.amount_fen
    exact = sold * rate
    if exact < 0 or bought != exact.numerator // exact.denominator:
        raise ExchangeInvalid(f"transaction {transaction.id} was not booked at its rate")
    return Exchange(transaction.id, sold, bought, rate, exact - bought)
