"""Number plates: 京A12345, 京a·12345, 沪AD12345 (new energy), 粤Z1234港, 使 and 警 plates, spoken figures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.numerals import DIGITS
from bot.dialogue.reading.types import Reading

PlateKind = Literal["ordinary", "new_energy", "special"]


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate as it is stamped, without dot or blanks. ``valid`` is False when no plate is made like that."""

    number: str
    kind: PlateKind
    valid: bool = True


_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PART: Final = r"[0-9a-z零一二三四五六七八九幺]"
_SEP: Final = r"[ ·•.\-]?"
_PLATE: Final = re.compile(
    rf"(?P<province>[{_PROVINCES}]){_SEP}(?P<letter>[a-z]){_SEP}(?P<rest>{_PART}(?:{_SEP}{_PART}){{3,8}})(?P<mark>[学警港澳挂领])?"
    rf"(?!{_PART})"
)
_ORDINARY: Final = re.compile(r"[0-9A-HJ-NP-Z]{5}")
_SMALL: Final = re.compile(r"[A-HJK][0-9A-HJ-NP-Z][0-9]{4}")
_LARGE: Final = re.compile(r"[0-9]{5}[A-HJK]")
_MARKED: Final = re.compile(r"[0-9A-HJ-NP-Z]{4}")
_LETTERS_MAX: Final = 2  # in the five places of an ordinary plate
_UNUSED: Final = str.maketrans(
    "OI", "01"
)  # never stamped behind the letter of the town: taken for these figures


def _stamped(said: str) -> str:
    chars = (str(DIGITS[char]) if char in DIGITS else char.upper() for char in said if char.isalnum())
    return "".join(chars).translate(_UNUSED)


def _kind(rest: str, mark: str) -> tuple[PlateKind, bool]:
    if mark:
        return "special", _MARKED.fullmatch(rest) is not None
    if len(rest) == 6:
        return "new_energy", (_SMALL.fullmatch(rest) or _LARGE.fullmatch(rest)) is not None
    letters = sum(char.isalpha() for char in rest)
    return "ordinary", _ORDINARY.fullmatch(rest) is not None and letters <= _LETTERS_MAX


def read_plates(text: str) -> list[Reading[Plate]]:
    """Every number plate, in order; O and I behind the town's letter are read as 0 and 1, as none are made with them."""
    copy = canon(text)
    found = []
    for match in _PLATE.finditer(copy.text):
        rest, mark = _stamped(match["rest"]), match["mark"] or ""
        kind, valid = _kind(rest, mark)
        number = f"{match['province']}{match['letter'].upper()}{rest}{mark}"
        found.append(copy.reading(Plate(number, kind, valid), *match.span()))
    return found
