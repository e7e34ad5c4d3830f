"""Currencies the ledger books in, with the number of decimals of their minor unit (ISO 4217).

Amounts are called `..._fen` throughout: they are whole minor units of the account's currency.
"""

from __future__ import annotations

from banking_core.ledger.errors import LedgerAccountInvalid

HOME_CURRENCY = "CNY"
MINOR_DIGITS: dict[str, int] = {"CNY": 2, "USD": 2, "EUR": 2, "GBP": 2, "HKD": 2, "JPY": 0, "KRW": 0}


def check_currency(currency: object) -> str:
    """The currency if the ledger books in it; raises LedgerAccountInvalid."""
    if not isinstance(currency, str) or currency not in MINOR_DIGITS:
        raise LedgerAccountInvalid("the ledger does not book in this currency", field="currency")
    return currency
