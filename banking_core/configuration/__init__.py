"""The bank's terms: every fee, limit and duration a bank may change without touching code."""

from banking_core.configuration.errors import TermsError, UnknownTerm
from banking_core.configuration.terms import Terms

__all__ = ["Terms", "TermsError", "UnknownTerm"]
