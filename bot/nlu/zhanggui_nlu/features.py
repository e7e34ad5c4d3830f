"""What the intent classifier looks at: character n-grams, the concepts a sentence names, and a few marks.

An n-gram knows a word only if it was seen in training. A concept stands for all the words people use for
one thing (丢了, 不见了, 找不着 ...), so a sentence with an unseen word still looks like its kin. The words of
each concept are in `nlu_data/lexicons/concepts.yml`, in groups that tell banking from small talk.

A language that puts blanks between words adds word n-grams, and its character n-grams stay within a word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations

from zhanggui_nlu.lexicons import LABEL_BY_LEXICON, LexiconMatcher
from zhanggui_nlu.normalise import for_intent, same_length

START, END = "\u2402", "\u2403"  # pictures of STX and ETX: never typed, safe in JSON
WORD = "\u2423"  # the open box begins the name of a word n-gram
GROUP_SIZE_MAX, LENGTH_STEP, LENGTH_STEPS_MAX = 2, 3, 6
_AMOUNT = re.compile(
    r"\d+(?:\.\d+)?(?:块|元|万|千|百|k|w|毛|蚊)?"
    r"|[一二两三四五六七八九十百千万俩仨]+(?:块|元|百|千|万|毛|角|蚊|钱)[一二三四五六七八九十百千万]*"
    r"|[一二三四五六七八九]十[一二三四五六七八九]?(?![号日天年月岁个期分点周次楼])"
)
_FORMAL_NUMERALS = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")
_QUESTION_MARK = re.compile(r"[?？]")
_QUESTION_END = re.compile(r"[吗么不没呢]\W*$")


class Knowledge:
    """Concepts by group and entity lexicons, as the features read them."""

    def __init__(
        self,
        concepts: Mapping[str, Mapping[str, Sequence[str]]],
        lexicons: Mapping[str, Sequence[str]],
    ) -> None:
        """`concepts`: words by concept by group; `lexicons`: words by lexicon name."""
        self.concepts = {group: {n: list(w) for n, w in named.items()} for group, named in concepts.items()}
        self.lexicons = {name: list(words) for name, words in lexicons.items()}
        self.matcher = LexiconMatcher({name: self.lexicons.get(name, []) for name in LABEL_BY_LEXICON})

    @cached_property
    def _patterns(self) -> list[tuple[str, str, re.Pattern[str]]]:
        """Group, concept and one compiled alternation of its words, longest first."""
        return [
            (group, name, re.compile("|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))))
            for group, named in self.concepts.items()
            for name, words in named.items()
            if words
        ]

    def found(self, text: str) -> list[tuple[str, str]]:
        """(group, concept) of every concept in `text`, a sentence already `for_intent`."""
        return [(group, name) for group, name, pattern in self._patterns if pattern.search(text)]

    def marks(self, text: str) -> list[str]:
        """What else is in `text`, a sentence already `same_length`: lexicon words, an amount, a question."""
        marks = [f"%{name}" for name in LABEL_BY_LEXICON if self.matcher.matches(text, name)]
        marks += ["%amount"] if _AMOUNT.search(text.translate(_FORMAL_NUMERALS)) else []
        marks += ["%question"] if _QUESTION_MARK.search(text) else []
        marks += ["%particle"] if _QUESTION_END.search(text) else []
        return marks


def ngrams(text: str, longest: int) -> Counter[str]:
    """Counts of the 1- to `longest`-grams of `text` between border marks, an amount being one character."""
    amounts_as_one = _AMOUNT.sub("0", same_length(text).translate(_FORMAL_NUMERALS))
    marked = START + for_intent(amounts_as_one) + END
    size = len(marked)
    counts: Counter[str] = Counter()
    for n in range(1, longest + 1):
        counts.update(marked[i : i + n] for i in range(size - n + 1))
    return counts


def word_ngrams(text: str, longest: int, words: int) -> Counter[str]:
    """Counts of the 1- to `words`-grams of the words of `text`, and of the 2- to `longest`-grams of the
    characters of each word with a blank on either side."""
    found = for_intent(text).split()
    counts: Counter[str] = Counter()
    for n in range(1, words + 1):
        counts.update(WORD + " ".join(found[i : i + n]) for i in range(len(found) - n + 1))
    for word in found:
        padded = f" {word} "
        for n in range(2, longest + 1):
            counts.update(padded[i : i + n] for i in range(len(padded) - n + 1))
    return counts


def is_word(name: str) -> bool:
    """Whether a feature is a word n-gram."""
    return name[0] == WORD


def is_pair(name: str) -> bool:
    """Whether a feature joins two others (a pair of concepts, or a mark and a concept)."""
    return name[0] in "#%" and (name.count("#") + name.count("%")) == 2 and not name.startswith("##")


def _group_features(found: Sequence[tuple[str, str]], groups: Sequence[str]) -> list[str]:
    """How many concepts of each group there are, and which groups are there at all."""
    sizes = Counter(group for group, _ in found)
    each = [f"##{group}{min(sizes[group], GROUP_SIZE_MAX)}" for group in groups]
    return [*each, "##" + "/".join(str(min(sizes[group], 1)) for group in groups)]


def features(text: str, knowledge: Knowledge, longest: int, words: int = 0) -> Counter[str]:
    """Everything the classifier sees of `text`; without concepts and lexicons, n-grams alone. `words` is the
    longest word n-gram, 0 for a language written without blanks."""
    counts = word_ngrams(text, longest, words) if words else ngrams(text, longest)
    if not knowledge.concepts:
        return counts
    bare = for_intent(text)
    found = knowledge.found(bare)
    names = [f"#{name}" for _, name in found]
    marks = knowledge.marks(same_length(text))
    counts.update(names)
    counts.update(marks)
    counts.update(f"{a}+{b}" for a, b in combinations(sorted(names), 2))
    counts.update(f"{mark}{name}" for mark in marks for name in names)
    counts.update(_group_features(found, list(knowledge.concepts)))
    counts[f"%length{min(len(bare) // LENGTH_STEP, LENGTH_STEPS_MAX)}"] = 1
    return counts
