"""What the risk area refuses. All of these are found when the bank is built, never while a customer waits.

RiskConfigurationError   root: a shipped or configured file cannot be used
    RulesInvalid         rules.yml: schema, unknown feature, expression of the wrong type
    PhrasesInvalid       phrases.yml
    ModelInvalid         weights missing, damaged, or made for another list of features
"""

from __future__ import annotations

from banking_core.errors import BankError


class RiskConfigurationError(BankError):
    """A file of the risk area cannot be used; the text says which and why."""

    code = "risk_configuration"


class RulesInvalid(RiskConfigurationError):
    """The rules file breaks its schema, names an unknown feature or mixes types."""

    code = "risk_rules_invalid"


class PhrasesInvalid(RiskConfigurationError):
    """The phrase list breaks its schema or holds a pattern that cannot be compiled."""

    code = "risk_phrases_invalid"


class ModelInvalid(RiskConfigurationError):
    """The weights are missing, damaged, or belong to another list of features."""

    code = "risk_model_invalid"
