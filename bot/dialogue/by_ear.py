"""What was heard rather than read: the other readings of a sentence, and the names it may have been meant for.

Whoever hears cannot tell 张山 from 张三; whoever has the payee book can. So a sentence comes with all that it may have
been, and one rule, here, says which of the names that are possible it holds. The ears use it for the names they were
told of beforehand, the slots of a skill for the customer's book, which may be known only after the sentence was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.dialogue.reading.money import read_amount, read_money
from bot.dialogue.reading.pinyin import distance, syllables
from bot.dialogue.reading.types import covers

NAME_NEAR_MAX: Final = 0.26  # per syllable: one of two sounds that many do not tell apart
RIVAL_NEAR: Final = 0.05  # a name hardly farther from the sound than the nearest may be the one that was said
SURE_MIN: Final = 0.65  # what is below it is wrong three times as often as the rest (docs/hearing.md)
OTHERS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class ByEar:
    """How `text` was heard: the other readings, likeliest first, and how sure each of its characters is, 0.0 to 1.0."""

    text: str = ""
    others: tuple[str, ...] = field(default=(), repr=False)
    sureness: tuple[float, ...] = ()

    def doubtful(self, start: int, end: int) -> bool:
        """Whether something between these offsets of `text` was heard so unsurely that it is worth asking."""
        return min(self.sureness[start:end], default=1.0) < SURE_MIN

    def __repr__(self) -> str:
        """Never shows what was said."""
        return f"ByEar(chars={len(self.text)}, others={len(self.others)})"


@dataclass(frozen=True, slots=True)
class Named:
    """A reading with a possible name in it, and the names that may have been said as well."""

    text: str
    name: str = ""
    rivals: tuple[str, ...] = ()


def named(readings: Sequence[str], names: Sequence[str]) -> Named:
    """The likeliest reading that holds one of the names; if none does, the likeliest one, with what sounds like one of
    them put right.

    `name` is "" where nothing is near enough, or the likeliest reading is an amount and wants no name (转账三百 is not
    转张三百): then the text is that reading as it was heard.
    """
    if covers(readings[0], *(read_amount(readings[0]) or read_money(readings[0]))):
        return Named(readings[0])
    for text in readings:
        held = [name for name in names if name in text]
        if held:
            name = max(held, key=len)
            others = [other for one in readings for other in names if other in one and other not in text]
            return Named(text, name, tuple(dict.fromkeys(others)))
    return corrected(readings[0], names)


def corrected(text: str, names: Sequence[str]) -> Named:
    """`text` with the stretch that sounds most like one of the names replaced by it, if it is near enough."""
    found = sorted(
        (cost, at, name)
        for name in names
        for at in range(len(text) - len(name) + 1)
        if (cost := _cost(text[at : at + len(name)], name)) <= NAME_NEAR_MAX
    )
    if not found:
        return Named(text)
    cost, at, name = found[0]
    rivals = [other for much, _, other in found if other != name and much <= cost + RIVAL_NEAR]
    return Named(text[:at] + name + text[at + len(name) :], name, tuple(dict.fromkeys(rivals)))


def _cost(piece: str, name: str) -> float:
    """How unlike they sound; 1.0 where a name is too short to be told by its sound."""
    if len(name) < 2 or len(syllables(piece)) != len(syllables(name)):
        return 1.0
    return distance(piece, name)
