"""Out of what the recogniser may have heard, the text that makes sense in this state of the conversation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.channels.phone.hearing.grammars import DIGITS, WHOLE, Grammar
from bot.channels.phone.hearing.spelling import UNKNOWN, joined
from bot.dialogue.by_ear import OTHERS_MAX, ByEar, named
from bot.dialogue.reading.pinyin import nearest

NEAR_MAX: Final = 0.3  # per syllable: one of three sounds wholly wrong, or several slightly
SYLLABLE_SURE: Final = (
    0.4  # a single syllable in a free turn, less sure than this, is a noise or a hesitation
)
READINGS_MAX: Final = 64
UNKNOWN_MAX: Final = 0.5  # of the words; above it nothing is taken for heard
_DIGITS: Final = frozenset(DIGITS)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of the sound: its words and its log-score (higher is likelier)."""

    words: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word with the share of likely readings that have it; 0.0 to 1.0."""

    text: str
    confidence: float

    def __repr__(self) -> str:
        """Never shows the word: it may be part of a code."""
        return f"Word(confidence={self.confidence:.2f})"


@dataclass(frozen=True, slots=True)
class Understood:
    """`text` is "" when nothing was heard that may be said here.

    `alternatives` are the other readings, likeliest first.
    """

    text: str = ""
    words: tuple[Word, ...] = ()
    alternatives: tuple[str, ...] = field(default=(), repr=False)

    @property
    def confidence(self) -> float:
        """Of the least certain word; 0.0 when there is none."""
        return min((word.confidence for word in self.words), default=0.0)

    @property
    def by_ear(self) -> ByEar:
        """The text with what else it may have been, for who knows more of the customer than the ears do."""
        sureness = tuple(word.confidence for word in self.words for _ in word.text)
        aligned = sureness if len(sureness) == len(self.text) else ()
        return ByEar(self.text, self.alternatives[:OTHERS_MAX], aligned)

    def __repr__(self) -> str:
        """Never shows what was said."""
        return f"Understood(chars={len(self.text)}, confidence={self.confidence:.2f})"


def whole(parts: Sequence[Sequence[Hypothesis]]) -> list[Hypothesis]:
    """The likeliest readings of a sentence that was heard in pieces, between which the model saw an end."""
    found = [Hypothesis((), 0.0)]
    for part in parts:
        longer = [
            Hypothesis((*one.words, *next_.words), one.score + next_.score) for one in found for next_ in part
        ]
        found = sorted(longer, key=lambda one: -one.score)[:READINGS_MAX]
    return found if parts else []


def choose(hypotheses: list[Hypothesis], grammar: Grammar | None) -> Understood:
    """The best reading that the grammar allows; without a grammar the best one, names put right by their sound."""
    if not hypotheses:
        return Understood()
    fitting = [one for one in hypotheses if grammar is None or _fits(one, grammar)]
    texts = tuple(dict.fromkeys(joined(one.words) for one in hypotheses))
    if not fitting:
        near = _nearest_allowed(texts[0], grammar)
        return Understood(near, (Word(near, 0.5),), texts) if near else Understood(alternatives=texts)
    best = fitting[0]
    text = joined(best.words)
    if grammar is not None and not grammar.strict and not grammar.digits and text not in WHOLE:
        found = named([joined(one.words) for one in fitting], grammar.near)
        best = next((one for one in fitting if joined(one.words) == found.text), best)
        text = found.text
    words = tuple(_confident(best, hypotheses))
    if grammar is not None and not grammar.strict and len(text) == 1 and words[0].confidence < SYLLABLE_SURE:
        return Understood(alternatives=texts)
    return Understood(text, words, tuple(one for one in texts if one != text))


def _fits(one: Hypothesis, grammar: Grammar) -> bool:
    text = joined(one.words)
    unknown = sum(word == UNKNOWN for word in one.words)
    if not text or unknown > UNKNOWN_MAX * len(one.words):
        return False
    if grammar.digits and set(text) <= _DIGITS:
        return not unknown
    if grammar.strict:
        return not unknown and _made_of(text, grammar.strict)
    return not grammar.digits


def _made_of(text: str, phrases: frozenset[str]) -> bool:
    """Whether it is one of the phrases, or several one after another."""
    reached = [True] + [False] * len(text)
    for end in range(1, len(text) + 1):
        reached[end] = any(reached[end - len(one)] for one in phrases if text.endswith(one, 0, end))
    return reached[-1]


def _nearest_allowed(text: str, grammar: Grammar | None) -> str:
    if grammar is None or not text or not grammar.strict or grammar.digits:
        return ""
    return nearest(text, sorted(grammar.strict), NEAR_MAX) or ""


def _confident(best: Hypothesis, all_of_them: list[Hypothesis]) -> list[Word]:
    """Each word with the probability of the readings that have it at its place, counted from either end."""
    top = max(one.score for one in all_of_them)
    weights = [math.exp(max(one.score - top, -50.0)) for one in all_of_them]
    total = sum(weights)
    words = []
    for at, word in enumerate(best.words):
        if word == UNKNOWN:
            continue
        from_end = at - len(best.words)
        held = sum(
            weight
            for one, weight in zip(all_of_them, weights, strict=True)
            if (at < len(one.words) and one.words[at] == word)
            or (-from_end <= len(one.words) and one.words[from_end] == word)
        )
        words.append(Word(word, held / total))
    return words
