"""The bank's terms: every fee, limit and duration a bank may change without touching code."""

from banking_core.configuration.calendar import BankCalendar
from banking_core.configuration.errors import TermsError, UnknownTerm
from banking_core.configuration.rules import Arrival, LimitFigures, LimitSubject, Rules
from banking_core.configuration.terms import Terms

__all__ = [
    "Arrival",
    "BankCalendar",
    "LimitFigures",
    "LimitSubject",
    "Rules",
    "Terms",
    "TermsError",
    "UnknownTerm",
]
