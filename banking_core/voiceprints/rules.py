"""The figures by which voices are taken, as data: terms of the area `voiceprint`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from banking_core.configuration import Terms

AREA = "voiceprint"


@dataclass(frozen=True)
class VoiceRules:
    """`content`, `other` and `drift` are log-likelihood ratios: least one for the digits, one at which it surely is
    somebody else, and a running mean below which the voice has drifted away from its template.
    """

    consent_version: int
    valid: timedelta
    tries: int
    no_repeat: timedelta
    content: float
    other: float
    drift: float
    enrol_samples: int
    enrol_tries: int
    enrol_life: timedelta
    adapt_every: timedelta
    life: timedelta
    suspicion: timedelta
    cooling: timedelta
    record: timedelta
    draws: int

    @classmethod
    def of_terms(cls, terms: Terms) -> Self:
        """Raises UnknownTerm, TermsError."""

        def number(name: str) -> float:
            return float(terms.number(f"{AREA}.{name}"))

        def whole(name: str) -> int:
            return terms.integer(f"{AREA}.{name}")

        return cls(
            consent_version=whole("consent_version"),
            valid=timedelta(seconds=whole("prompt_valid_s")),
            tries=whole("prompt_tries"),
            no_repeat=timedelta(hours=whole("no_repeat_hours")),
            content=number("content_llr"),
            other=number("other_llr"),
            drift=number("drift_llr"),
            enrol_samples=whole("enrol_samples"),
            enrol_tries=whole("enrol_tries"),
            enrol_life=timedelta(minutes=whole("enrol_minutes")),
            adapt_every=timedelta(days=whole("adapt_days")),
            life=timedelta(days=whole("life_days")),
            cooling=timedelta(hours=whole("cooling_hours")),
            record=timedelta(hours=whole("record_hours")),
            draws=whole("prompt_draws"),
            suspicion=timedelta(hours=whole("suspicion_hours")),
        )
