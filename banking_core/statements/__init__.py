"""Statements: finding a customer's transactions and adding them up."""

from banking_core.statements.errors import StatementPeriodInvalid
from banking_core.statements.service import CategoryTotal, StatementPage, StatementRow, Statements
from banking_core.statements.vocabulary import CATEGORY_NAMES, category_name, known_words

__all__ = [
    "CATEGORY_NAMES",
    "CategoryTotal",
    "StatementPage",
    "StatementPeriodInvalid",
    "StatementRow",
    "Statements",
    "category_name",
    "known_words",
]
