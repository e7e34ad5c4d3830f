"""What a bank may change without touching code: terms (figures) and rules (rows of who, when and how)."""

from banking_core.configuration.calendar import Calendar
from banking_core.configuration.errors import RulesError, TermsError, UnknownTerm
from banking_core.configuration.rules import Rules
from banking_core.configuration.terms import Terms

__all__ = ["Calendar", "Rules", "RulesError", "Terms", "TermsError", "UnknownTerm"]
