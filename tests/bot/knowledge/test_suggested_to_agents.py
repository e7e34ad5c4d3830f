"""The least likelihood with which an answer is suggested to an agent, measured on questions that teach nobody."""

from __future__ import annotations

from bot.knowledge import KnowledgeBase
from desk.suggestions import SCORE_MIN, SUGGESTED

from .test_finding import dev

BAND = 0.05


def right_share(base: KnowledgeBase, low: float, high: float) -> float:
    """Of the hits with such a score, how many answer the question."""
    asked = [pair for name in ("direct.tsv", "indirect.tsv") for pair in dev(name)]
    right = [
        hit.entry_id == expected
        for text, expected in asked
        for hit in base.find(text, SUGGESTED)
        if low <= hit.score < high
    ]
    assert len(right) > 50, "too few to tell"
    return sum(right) / len(right)


def test_the_weakest_answer_suggested_is_right_about_every_other_time_and_the_next_one_is_not(
    base: KnowledgeBase,
) -> None:
    assert right_share(base, SCORE_MIN, SCORE_MIN + BAND) > 0.48
    assert right_share(base, SCORE_MIN - BAND, SCORE_MIN) < 0.4
