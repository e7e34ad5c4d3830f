"""Writes phrases in the words a model knows, and reads what it heard back into the phrases that were meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from bot.dialogue.reading.pinyin import syllables

UNKNOWN: Final = "[unk]"
WORD_MAX: Final = 6
_BLANKS = re.compile(r"\s+")


class Spelling:
    """For one vocabulary, told by `knows(word)`."""

    def __init__(self, knows: Callable[[str], bool]) -> None:
        self._knows = knows
        self._stand_ins: dict[str, str | None] = {}

    def words(self, phrase: str) -> list[str] | None:
        """The phrase in known words, the longest first; a homophone stands in for an unknown character.

        None when it cannot be said in this vocabulary. A blank in the phrase always divides words.
        """
        found: list[str] = []
        for part in _BLANKS.split(phrase.strip()):
            if part == UNKNOWN:
                found.append(part)
                continue
            pieces = self._part(part)
            if pieces is None:
                return None
            found += pieces
        return found or None

    def _part(self, text: str) -> list[str] | None:
        found, at = [], 0
        while at < len(text):
            for length in range(min(WORD_MAX, len(text) - at), 0, -1):
                if self._knows(text[at : at + length]):
                    found.append(text[at : at + length])
                    at += length
                    break
            else:
                stand_in = self._stand_in(text[at])
                if stand_in is None:
                    return None
                found.append(stand_in)
                at += 1
        return found

    def _stand_in(self, char: str) -> str | None:
        if char not in self._stand_ins:
            alike = _by_sound().get(syllables(char)[0], ())
            self._stand_ins[char] = next((one for one in alike if self._knows(one)), None)
        return self._stand_ins[char]


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, list[str]]:
    """The common characters, GB 2312's first level, by their sound."""
    found: dict[str, list[str]] = {}
    for row in range(0xB0, 0xD8):
        for column in range(0xA1, 0xFF if row < 0xD7 else 0xFA):
            char = bytes((row, column)).decode("gb2312")
            found.setdefault(syllables(char)[0], []).append(char)
    return found


def joined(words: Iterable[str]) -> str:
    """What was heard as running text, without what was not understood."""
    return "".join(word for word in words if word != UNKNOWN)
