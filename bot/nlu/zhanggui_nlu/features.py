"""What the intent classifier looks at: character n-grams and the concepts a sentence names.

An n-gram knows a word only if it was seen in training. A concept stands for all the words people use for
one thing (丢了, 不见了, 找不着 ...), so a sentence with an unseen word still looks like its kin. The words of
each concept are in `nlu_data/lexicons/concepts.yml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from zhanggui_nlu.normalise import for_intent, same_length

START, END = "\u2402", "\u2403"  # pictures of STX and ETX: never typed, safe in JSON


@dataclass(frozen=True)
class Concepts:
    """Words by concept name. Matching is longest-first and leaves no overlaps within one concept."""

    words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        """One compiled alternation per concept."""
        return [
            (name, re.compile("|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))))
            for name, words in self.words.items()
            if words
        ]

    def found(self, text: str) -> list[str]:
        """Names of the concepts in `text` (already normalised), in order of first appearance."""
        places = [(match.start(), name) for name, pattern in self._patterns if (match := pattern.search(text))]
        return [name for _, name in sorted(places)]


def ngrams(text: str, longest: int) -> Counter[str]:
    """Counts of the 1- to `longest`-grams of `text` between border marks."""
    marked = START + for_intent(text) + END
    size = len(marked)
    counts: Counter[str] = Counter()
    for n in range(1, longest + 1):
        counts.update(marked[i : i + n] for i in range(size - n + 1))
    return counts


def features(text: str, concepts: Concepts, longest: int) -> Counter[str]:
    """n-grams, concepts, pairs of concepts, and how many concepts there are."""
    counts = ngrams(text, longest)
    found = concepts.found(for_intent(text))
    counts.update(f"#{name}" for name in found)
    counts.update(f"#{a}+{b}" for a, b in combinations(sorted(found), 2))
    if concepts.words:
        counts[f"#count={min(len(found), 3)}"] = 1
    return counts
