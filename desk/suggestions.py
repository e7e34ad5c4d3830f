"""What the knowledge base would answer to what the customer said last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desk.dependencies import DeskDependencies
from desk.ports import LookPort

SUGGESTED = 3
SCORE_MIN = 0.2  # from here on right more often than not, below it one time in three: docs/desk.md
LOOK_BACK = 3  # customer messages: the last one may be "在吗"
RECENT = 30


async def last_words(look: LookPort) -> list[str]:
    """What the customer said last, newest first."""
    recent = await look.history(limit=RECENT)
    said = [str(message["text"]) for message in recent if message["sender"] == "customer"]
    return said[: -LOOK_BACK - 1 : -1]


def suggested(deps: DeskDependencies, said: Sequence[str]) -> list[dict[str, Any]]:
    """At most three {question, answer, sure (percent)}, best first, for the first of the words that find any."""
    for text in said:
        hits = [hit for hit in deps.answers.find(text, SUGGESTED) if hit.score >= SCORE_MIN]
        if hits:
            return [
                {"question": hit.question, "answer": hit.answer, "sure": round(hit.score * 100)}
                for hit in hits
            ]
    return []
