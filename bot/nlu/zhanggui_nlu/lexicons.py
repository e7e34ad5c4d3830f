"""Finds lexicon words in a sentence, longest first, and says for each character what it is part of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from zhanggui_nlu.data import lexicon_files, read_lexicon

# Lexicon file -> entity label of the words in it; surnames begin a name but are none.
LABEL_BY_LEXICON = {"banks": "bank", "places": "place", "people": "payee"}
SURNAMES = "surnames"


def read_lexicons(data_dir: Path) -> dict[str, list[str]]:
    """Words by lexicon name (file stem); an absent file is an empty lexicon."""
    found = {path.stem: read_lexicon(path) for path in lexicon_files(data_dir)}
    return {name: found.get(name, []) for name in (*LABEL_BY_LEXICON, SURNAMES)}


class LexiconMatcher:
    """Longest-match lookup in sets of words."""

    def __init__(self, lexicons: Mapping[str, Sequence[str]]) -> None:
        """`lexicons`: words by lexicon name."""
        self.lexicons = {name: list(words) for name, words in lexicons.items()}
        self._sets = {name: frozenset(words) for name, words in self.lexicons.items()}
        self._longest = {name: max(map(len, words), default=0) for name, words in self.lexicons.items()}

    def words(self, name: str) -> list[str]:
        """The words of one lexicon."""
        return self.lexicons.get(name, [])

    def matches(self, text: str, name: str) -> list[tuple[int, int]]:
        """Start and end of words of lexicon `name`, left to right, longest first, not overlapping."""
        words, longest = self._sets.get(name, frozenset()), self._longest.get(name, 0)
        found: list[tuple[int, int]] = []
        start = 0
        while start < len(text):
            for size in range(min(longest, len(text) - start), 0, -1):
                if text[start : start + size] in words:
                    found.append((start, start + size))
                    start += size
                    break
            else:
                start += 1
        return found

    def flags(self, text: str) -> list[list[str]]:
        """For each character the feature strings `B-lexicon` / `I-lexicon` / `E-lexicon` that hold there."""
        flags: list[list[str]] = [[] for _ in text]
        for name in self.lexicons:
            for start, end in self.matches(text, name):
                kind = f"{name}{min(end - start, 4)}"
                for i in range(start, end):
                    flags[i].append(f"{'B' if i == start else 'E' if i == end - 1 else 'I'}-{kind}")
        return flags
