"""How alike two Chinese texts sound. Tones are left out: over a telephone they are the first thing to be misheard."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_finals, to_initials

NEAR: Final = 0.25  # sounds that many speakers do not tell apart
RELATED: Final = 0.5
_NEAR_INITIALS: Final = tuple(
    frozenset(pair.split()) for pair in ("zh z", "ch c", "sh s", "n l", "f h", "r l")
)
_RELATED_INITIALS: Final = tuple(
    frozenset(group.split())
    for group in ("b p m", "d t", "g k h", "j q x zh ch sh", "z c s j q x", "zh ch sh r", "z c s")
)
_NEAR_FINALS: Final = tuple(
    frozenset(pair.split())
    for pair in ("in ing", "en eng", "an ang", "ian iang", "uan uang", "ong eng", "uo o", "ou uo")
)
_ONE: Final = {"yao": "yi"}  # 幺 and 一 are the same digit


@lru_cache(maxsize=8192)
def syllables(text: str) -> tuple[str, ...]:
    """Toneless pinyin, one a character; what is no Chinese character stays as it is, character by character."""
    return tuple(
        _ONE.get(one, one) if char == "幺" else one
        for char in text
        for one in lazy_pinyin(char, style=Style.NORMAL, v_to_u=False)
    )


@lru_cache(maxsize=65536)
def apart(left: str, right: str) -> float:
    """0.0 for the same syllable, 1.0 for one with nothing in common."""
    if left == right:
        return 0.0
    initials = to_initials(left, strict=False), to_initials(right, strict=False)
    finals = to_finals(left, strict=False), to_finals(right, strict=False)
    if not all(finals):  # a letter or a digit
        return 1.0
    return (_part(initials, _NEAR_INITIALS, _RELATED_INITIALS) + _part(finals, _NEAR_FINALS, ())) / 2


def _part(pair: tuple[str, str], near: Iterable[frozenset[str]], related: Iterable[frozenset[str]]) -> float:
    if pair[0] == pair[1]:
        return 0.0
    both = frozenset(pair)
    if any(both <= group for group in near):
        return NEAR
    return RELATED if any(both <= group for group in related) else 1.0


def distance(left: str, right: str) -> float:
    """Least cost of making one text sound like the other, per syllable of the longer one; 0.0 to 1.0."""
    one, two = syllables(left), syllables(right)
    if not one or not two:
        return 0.0 if one == two else 1.0
    row = [float(at) for at in range(len(two) + 1)]
    for at, syllable in enumerate(one, 1):
        before, row = row, [float(at)]
        for place, other in enumerate(two, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + apart(syllable, other)))
    return row[-1] / max(len(one), len(two))


def nearest(heard: str, possible: Iterable[str], limit: float) -> str | None:
    """What of the possible was probably said: the nearest within `limit`, None where two are equally near."""
    ranked = sorted((distance(heard, one), one) for one in dict.fromkeys(possible))
    if not ranked or ranked[0][0] > limit:
        return None
    if len(ranked) > 1 and ranked[1][0] == ranked[0][0] and ranked[0][1] != heard:
        return heard if heard in possible else None
    return ranked[0][1]
