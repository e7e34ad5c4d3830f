"""What can be wrong with the terms of the bank; all of it shows at start, none in front of a customer.

BankError
└── TermsError        terms_invalid   the file cannot be read or is not nested keys with plain values
    ├── UnknownTerm   unknown_term    a key that nobody defined
    └── RulesError    rules_invalid   a row of the rules has an unknown field or an impossible value
"""

from __future__ import annotations

from banking_core.errors import BankError


class TermsError(BankError):
    """The terms file cannot be used."""

    code = "terms_invalid"


class UnknownTerm(TermsError):
    """A key that is not in the terms."""

    code = "unknown_term"


class RulesError(TermsError):
    """The rules file cannot be used."""

    code = "rules_invalid"
