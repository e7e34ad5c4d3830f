"""What the knowledge base would answer to what the customer said last."""

from __future__ import annotations

from typing import Any

from desk.dependencies import DeskDependencies

SUGGESTED = 3
SCORE_MIN = 0.1  # below this it is a guess that wastes the agent's eyes
LOOK_BACK = 3  # customer messages: the last one may be "在吗"
RECENT = 30


async def suggested(deps: DeskDependencies, conversation_id: str) -> list[dict[str, Any]]:
    """At most three {question, answer, sure (percent)}, best first, for the newest message that finds any."""
    recent = await deps.hub.history(conversation_id, after_seq=0, limit=RECENT)
    said = [str(message["text"]) for message in recent if message["sender"] == "customer"]
    for text in reversed(said[-LOOK_BACK:]):
        hits = [hit for hit in deps.answers.find(text, SUGGESTED) if hit.score >= SCORE_MIN]
        if hits:
            return [
                {"question": hit.question, "answer": hit.answer, "sure": round(hit.score * 100)}
                for hit in hits
            ]
    return []
