"""One spelling for what people write many ways. Every step keeps the length, so entity offsets survive."""

from __future__ import annotations

import re
from functools import lru_cache

from zhanggui_nlu.tables import CHARACTERS, FILLERS, HOMOPHONES

_HOMOPHONE = re.compile("|".join(map(re.escape, HOMOPHONES)))
_FILLER = re.compile("|".join(map(re.escape, FILLERS)))
_PUNCTUATION = re.compile(r"[^\w]+")
_DIGITS = re.compile(r"\d+")
_STUTTER = re.compile(r"(.)\1{2,}")


def same_length(text: str) -> str:
    """Half-width, lower-case, simplified characters and mended homophones; `len` never changes."""
    folded = text.translate(CHARACTERS)
    lowered = folded.lower()
    if len(lowered) != len(folded):  # a few letters grow when lowered, e.g. U+0130
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in folded)
    return _HOMOPHONE.sub(lambda match: HOMOPHONES[match.group()], lowered)


@lru_cache(maxsize=4096)
def for_intent(text: str) -> str:
    """The sentence as the intent classifier sees it: `same_length`, then no punctuation, numbers as one
    mark per run, drawn-out characters shortened. Never empty: falls back to a single mark."""
    plain = same_length(text)
    bare = _PUNCTUATION.sub(" ", plain).replace("_", " ")
    bare = _DIGITS.sub("0", bare)
    bare = _STUTTER.sub(r"\1\1", bare)
    return " ".join(bare.split()) or "?"


def without_fillers(text: str) -> str:
    """`text` without hesitations and set phrases of politeness; the text itself when nothing else is left."""
    return _FILLER.sub("", text).strip() or text
