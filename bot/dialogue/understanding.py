"""What the understanding service heard in one message, and the port through which the engine asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entity:
    """A span of the text that names something: kind 'payee' | 'bank' | 'place'; end is exclusive."""

    kind: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Understanding:
    """Intent with its probability (0 to 1), the runners-up in falling order, and entities."""

    text: str
    intent: str
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()
    entities: tuple[Entity, ...] = ()
    parts: tuple[Understanding, ...] = ()  # the pieces of a sentence that may hold several wishes
    missing: bool = False  # the service did not answer: nothing is known about the sentence

    def probability(self, intent: str) -> float:
        """The probability given to `intent`, 0.0 when it is not among the ranked."""
        return dict(self.ranking).get(intent, self.confidence if intent == self.intent else 0.0)


NOTHING_HEARD = Understanding(text="", intent="", confidence=0.0)
SERVICE_DOWN = Understanding(text="", intent="", confidence=0.0, missing=True)


class Understander(Protocol):
    """Anything that understands a sentence: the NLU service, or a table in a test."""

    async def understand(self, text: str) -> Understanding:
        """The meaning of `text`. Raises UnderstandingUnavailable when the service cannot answer in time."""
        ...


@dataclass(frozen=True, slots=True)
class KnowledgeHit:
    """A knowledge-base entry that may answer a question; score is calibrated to 0..1."""

    entry_id: str
    question: str
    answer: str
    score: float
    skill: str | None = None


class Knowledge(Protocol):
    """The knowledge base."""

    def find(self, text: str, limit: int = 3) -> list[KnowledgeHit]:
        """The best entries for `text`, best first."""
        ...

    def follow_up(self, more: str, whole: str, answered: str, limit: int = 3) -> list[KnowledgeHit]:
        """The best entries for `more` said right after the entry `answered`; `whole` is it with the words before."""
        ...

    def often_asked(self) -> Sequence[str]:
        """The questions asked most these days, for the help list."""
        ...

    def question(self, entry_id: str) -> str | None:
        """The canonical question of an entry, None when there is no such entry."""
        ...
