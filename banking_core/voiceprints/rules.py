"""The figures by which voices are taken, as data: terms of the area `voiceprint`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Self

from banking_core.configuration import Terms

Tier = Literal["login", "usual", "strict"]
AREA = "voiceprint"


@dataclass(frozen=True)
class VoiceRules:
    """`accept` is the least log-likelihood ratio by tier; `other` is one at which it surely is somebody else."""

    consent_version: int
    valid: timedelta
    tries: int
    no_repeat: timedelta
    content: float
    accept: dict[Tier, float]
    other: float
    enrol_samples: int
    enrol_tries: int
    enrol_life: timedelta
    enrol_same: float
    adapt_from: float
    adapt_every: timedelta
    drift_below: float
    renew_after: timedelta
    life: timedelta

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
            accept={
                "login": number("login_llr"),
                "usual": number("usual_llr"),
                "strict": number("strict_llr"),
            },
            other=number("other_llr"),
            enrol_samples=whole("enrol_samples"),
            enrol_tries=whole("enrol_tries"),
            enrol_life=timedelta(minutes=whole("enrol_minutes")),
            enrol_same=number("enrol_llr"),
            adapt_from=number("adapt_llr"),
            adapt_every=timedelta(days=whole("adapt_days")),
            drift_below=number("drift_llr"),
            renew_after=timedelta(days=whole("renew_days")),
            life=timedelta(days=whole("life_days")),
        )
