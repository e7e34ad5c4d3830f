"""From features to a judgement: the rules that hold and the model's score, the strongest of which wins. No SQL.

allow < step_up < delay < human < block. Shadow rules are named in the judgement and change nothing in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from banking_core.risk.context import RiskContext
from banking_core.risk.features import FEATURES, Vector, vector_hash
from banking_core.risk.features.words import in_words
from banking_core.risk.model import Model, Score
from banking_core.risk.rules import STRENGTH, Measure, Rules, Threshold, VerdictKind

WHY_FEATURES = 3
WHY_LOG_ODDS_MIN = 0.1
REASONS_MAX = 12
ALLOW = Measure(verdict="allow")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done and why. `rules` and `shadow` are the ids of the rules that held."""

    kind: VerdictKind
    factors: frozenset[str]
    delay_minutes: int | None
    customer_text: str
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    shadow: tuple[str, ...]
    score: float | None
    features_hash: str


def decide(context: RiskContext, vector: Vector, rules: Rules, model: Model) -> Judgement:
    """Judges one order or log-in. The model speaks of money that goes to somebody else, and of nothing else."""
    values: list[float] = vector.tolist()
    held = [
        rule.row
        for rule in rules.rules
        if rule.row.subject == context.subject and rule.condition.holds(values)
    ]
    exempt = context.kind in rules.exempt_kinds
    live = [row for row in held if row.mode == "live" and not exempt]
    shadow = tuple(row.id for row in held if row.mode == "shadow")
    reasons = [row.reason for row in live]
    measures: list[Measure] = list(live)
    score = None
    if is_scored(context) and not exempt:
        scored = model.score(vector)
        score = scored.probability
        met = [threshold for threshold in rules.score if score >= threshold.at_least]
        if met:
            measures.append(met[-1])
            reasons.append(_why(vector, scored, met[-1]))
    strongest = _strongest(measures)
    if strongest.verdict == "delay" and context.waited:
        strongest = ALLOW
        reasons.append("冷静期已过")
    return Judgement(
        kind=strongest.verdict,
        factors=_factors(measures) if strongest.verdict == "step_up" else frozenset(),
        delay_minutes=strongest.delay_minutes,
        customer_text=strongest.customer_text or "",
        reasons=tuple(reasons[:REASONS_MAX]),
        rules=tuple(row.id for row in live),
        shadow=shadow,
        score=score,
        features_hash=vector_hash(vector),
    )


def is_scored(context: RiskContext) -> bool:
    """Whether the model has something to say: money leaves for an account that is not the customer's own here."""
    own = context.payee is not None and context.payee.own_account
    return context.subject == "order" and context.account is not None and not own


def _strongest(measures: Sequence[Measure]) -> Measure:
    """The strongest; among delays the longest, otherwise the first."""
    return max(
        measures, key=lambda measure: (STRENGTH[measure.verdict], measure.delay_minutes or 0), default=ALLOW
    )


def _factors(measures: Sequence[Measure]) -> frozenset[str]:
    """Every factor that any step-up asks for."""
    return frozenset(factor for measure in measures for factor in measure.factors)


def _why(vector: Vector, score: Score, threshold: Threshold) -> str:
    top = np.argsort(-score.contributions)[:WHY_FEATURES]
    told = "；".join(
        in_words(FEATURES[index], float(vector[index]))
        for index in top
        if score.contributions[index] >= WHY_LOG_ODDS_MIN
    )
    return f"模型评分{score.probability:.2f}，达到{threshold.at_least:.2f}" + (f"：{told}" if told else "")
