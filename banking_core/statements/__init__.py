"""Statements: finding a customer's transactions and adding them up; monthly statements that are issued for good."""

from banking_core.statements.errors import StatementMismatch, StatementNotFound, StatementPeriodInvalid
from banking_core.statements.models import MonthlyStatement
from banking_core.statements.monthly import MonthlyStatements
from banking_core.statements.service import CategoryTotal, StatementPage, StatementRow, Statements
from banking_core.statements.vocabulary import CATEGORY_NAMES, category_name, known_words

__all__ = [
    "CATEGORY_NAMES",
    "CategoryTotal",
    "MonthlyStatement",
    "MonthlyStatements",
    "StatementMismatch",
    "StatementNotFound",
    "StatementPage",
    "StatementPeriodInvalid",
    "StatementRow",
    "Statements",
    "category_name",
    "known_words",
]
