"""Other wordings made from known ones by rule, to fit the score on: synonyms swapped, words dropped or added.

A customer's wording is nearer to a known one than a known one is to its siblings, which were written to
differ. Scores fitted on held-out wordings alone would be too low, on known wordings too high.
"""

from __future__ import annotations

import numpy as np

from bot.knowledge.lexicon import Lexicon
from bot.knowledge.text import Reader

# Chances at the full strength of a rewording; each rewording draws its own strength between 0 and 1.
_SWAP, _LOSE = 0.6, 0.25  # of a known word: another of the same meaning, or none
_DROP, _STRANGE = 0.5, 0.3  # of a character beside known words: none, or one never seen
_INSERT = 0.9  # a piece of another sentence mixed in
_INSERTED_MAX = 3  # words
_HAN_FIRST, _HAN_COUNT = 0x4E00, 0x4000


class Paraphraser:
    """Makes a wording out of another; the same seed makes the same wordings."""

    def __init__(self, lexicon: Lexicon, reader: Reader, seed: int) -> None:
        self._reader = reader
        self._random = np.random.default_rng(seed)
        self._words: dict[str, list[str]] = {}
        for word, terms in lexicon.terms.items():
            for term in terms:
                self._words.setdefault(term, []).append(word)

    def reword(self, text: str, other: str) -> str:
        """`text` in other words; a piece of `other` may be mixed in, beside the point."""
        strength = self._random.random()
        pieces = [self._piece(word, terms, strength) for word, terms in self._segments(text)]
        if self._random.random() < _INSERT * strength:
            added = [word for word, _ in self._segments(other)]
            at = int(self._random.integers(len(added))) if added else 0
            piece = "".join(added[at : at + 1 + int(self._random.integers(_INSERTED_MAX))])
            pieces.insert(int(self._random.integers(len(pieces) + 1)), piece)
        return "".join(pieces) or text

    def _segments(self, text: str) -> list[tuple[str, tuple[str, ...]]]:
        return list(self._reader.segments(self._reader.plain(text)))

    def _piece(self, word: str, terms: tuple[str, ...], strength: float) -> str:
        chance = self._random.random() / strength if strength > 0 else 1.0
        if terms:
            if chance < _LOSE:
                return ""
            if chance < _LOSE + _SWAP:
                same = self._words[terms[int(self._random.integers(len(terms)))]]
                return same[int(self._random.integers(len(same)))]
        elif chance < _DROP:
            return ""
        elif chance < _DROP + _STRANGE:
            return chr(_HAN_FIRST + int(self._random.integers(_HAN_COUNT)))
        return word
