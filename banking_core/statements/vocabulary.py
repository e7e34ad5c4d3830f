"""The names of categories and the words customers use for transactions, read once from vocabulary.yml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from banking_core.checked import checked_function
from banking_core.yaml_loader import LOADER

_DOCUMENT = yaml.load(Path(__file__).with_name("vocabulary.yml").read_text(encoding="utf-8"), LOADER)
CATEGORY_NAMES: dict[str, str] = dict(_DOCUMENT["categories"])
_SEPARATORS = re.compile(r"[\s,，、;；]+|的|和|跟|还有|以及")


@dataclass(frozen=True)
class Meaning:
    """What a word stands for: categories, or texts found in a summary or a counterparty's name."""

    categories: frozenset[str]
    texts: tuple[str, ...]

    @property
    def narrows(self) -> bool:
        """False for words that ask for nothing in particular (收入, 支出)."""
        return bool(self.categories or self.texts)


@checked_function
def category_name(category: str) -> str:
    """The Chinese name of a category; one we do not know is 其他."""
    return CATEGORY_NAMES.get(category, CATEGORY_NAMES["other"])


def meanings(words: str) -> list[Meaning]:
    """What each of the words stands for; a transaction that fits any of them is meant."""
    parts = (part for part in _SEPARATORS.split(words.strip()) if part)
    return [_meaning(part) for part in parts]


def known_words() -> tuple[str, ...]:
    """Every word that narrows a search, the longest first, for finding them in what a customer says."""
    return _KNOWN


def _meaning(word: str) -> Meaning:
    entry = _WORDS.get(word)
    if entry is None:
        return Meaning(frozenset(), (word,))
    return entry


def _read(entries: Iterable[tuple[str, dict[str, list[str]]]]) -> dict[str, Meaning]:
    words = {name: Meaning(frozenset({category}), ()) for category, name in CATEGORY_NAMES.items()}
    for word, entry in entries:
        categories = frozenset(entry.get("categories", ()))
        assert categories <= CATEGORY_NAMES.keys(), f"{word} names an unknown category"
        words[word] = Meaning(categories, tuple(entry.get("texts", ())))
    return words


_WORDS = _read(_DOCUMENT["words"].items())
_NAMES_OF_NOTHING = {CATEGORY_NAMES["other"]}  # 其他 is said of anything
_KNOWN = tuple(
    sorted(
        (word for word, meaning in _WORDS.items() if meaning.narrows and word not in _NAMES_OF_NOTHING),
        key=lambda word: (-len(word), word),
    )
)
