"""Rates and shares: 3.5%, 百分之三点五, 千分之五, 三个点, 50个基点, 八五折, 三成, 月息一分.

Values are in percent. 三厘 without 年 or 月 has two readings (3 % a year, 0.3 % a month): both are reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from bot.dialogue.reading.canon import Canon, canon, tail_of
from bot.dialogue.reading.numerals import Found, number_at, scan
from bot.dialogue.reading.types import Reading

Per = Literal["", "year", "month", "day"]


@dataclass(frozen=True, slots=True)
class Percent:
    """A share in percent; ``per`` says of which period it is, where that was said. None when no certain figure is named."""

    value: Decimal | None
    per: Per = ""


_DIVIDED: Final = {"百": Decimal(1), "千": Decimal("0.1"), "万": Decimal("0.01")}
_UNIT: Final = re.compile(
    r"(?P<percent>[ ]?%|个百分点|百分点)|(?P<permille>‰)|(?P<point>个点(?![的心钟])(?P<tenths>[1-9一二三四五六七八九](?![0-9个十百千万]))?)|(?P<basis>个基点|基点|[ ]?bps?(?![a-z]))"
    r"|(?P<tenth>成(?![功本都立为交长年员果语人绩])(?:(?P<half>半)|(?P<more>[一二三四五六七八九])(?!成))?)"
)
_SCALES: Final = {
    "percent": Decimal(1),
    "permille": Decimal("0.1"),
    "point": Decimal(1),
    "basis": Decimal("0.01"),
    "tenth": Decimal(10),
}
_NEGATIVE: Final = re.compile(r"(?:负|(?<![0-9%‰一-龥a-z])-)$")
_PERIOD: Final = re.compile(
    r"(?:(?P<year>年化?|一年)|(?P<month>月|一个月)|(?P<day>日|天|每天))(?:利率|利息|息|利|收益率?|化)?(?:是|为|:)?$"
)
_DISCOUNT: Final = re.compile(
    r"([1-9一二三四五六七八九](?:[.点]?[1-9一二三四五六七八九])?)折(?![磨腾合旧扣叠])"
)
_OF_INTEREST: Final = re.compile(
    r"(?P<period>(?!))?(?P<n>[1-9一二三四五六七八九两])(?P<unit>分|厘)(?P<half>半|(?P<more>(?!)))?(?:的?利(?!息?是)|息)"
)
_INTEREST: Final = re.compile(
    r"(?P<period>年|月)?(?:利息|利率|息|利)(?:是|为)?(?P<n>[1-9一二三四五六七八九两])(?P<unit>分|厘)(?P<half>半|(?P<more>[1-9一二三四五六七八九])(?:厘)?)?(?![钱之])"
)
_HALF_POINT: Final = re.compile(r"(?:(?P<whole>[一两三四五六七八九1-9])个半|半个)点(?![的心钟])")
_PER_DIVISOR: Final = re.compile(r"(?P<base>[百千万])分之")
_FRACTION: Final = re.compile(
    r"(?<![0-9])([一二三四五六七八九十]|[1-9][0-9]?)分之([一二三四五六七八九]|[1-9][0-9]?)(?![0-9])"
)
_JOINT: Final = re.compile(r"[到至~\-]$")
_SHARE_PLACES: Final = Decimal("0.0001")


def _digit(said: str) -> int:
    found = number_at(said, 0)
    assert found is not None and found.number.value is not None
    return int(found.number.value)


def _per(text: str, at: int) -> Per:
    match = _PERIOD.search(tail_of(text, at))
    per: Per = match.lastgroup if match and match.lastgroup in ("year", "month", "day") else ""  # type: ignore[assignment]
    return per


def _percent(
    found: Found, scale: Decimal, per: Per, more: Decimal = Decimal(0)
) -> tuple[Percent, tuple[Percent, ...]]:
    values = [n.value for n in (found.number, *found.alternatives) if not n.leading_zero]
    first, *others = (
        Percent(None if value is None else value * scale + more, per) for value in values or [None]
    )
    return first, tuple(others)


def _said(match: re.Match[str], found: Found, per: Per) -> tuple[Percent, tuple[Percent, ...]]:
    """A number followed by %, 个点, 个基点 or 成."""
    kind = next(name for name in _SCALES if match[name])
    more = Decimal(5) if match["half"] else Decimal(_digit(match["more"])) if match["more"] else Decimal(0)
    if match["tenths"]:
        more = Decimal(_digit(match["tenths"])) / 10
    return _percent(found, _SCALES[kind], per, more)


def _negated(value: Percent) -> Percent:
    return Percent(None if value.value is None else -value.value, value.per)


class _Finder:
    """Collects readings of one text so that none overlaps another."""

    def __init__(self, text: str) -> None:
        self.copy: Canon = canon(text)
        self.text = self.copy.text
        self.found: list[Reading[Percent]] = []
        self.taken: list[tuple[int, int]] = []

    def add(self, start: int, end: int, value: Percent, others: tuple[Percent, ...] = ()) -> None:
        if _NEGATIVE.search(tail_of(self.text, start)):
            start -= 1
            value, others = _negated(value), tuple(_negated(other) for other in others)
        if all(end <= s or e <= start for s, e in self.taken):
            self.taken.append((start, end))
            self.found.append(self.copy.reading(value, start, end, others))

    def divided(self) -> None:
        """百分之三点五, 千分之五; 百分之三到五 has no certain figure."""
        for match in _PER_DIVISOR.finditer(self.text):
            found = number_at(self.text, match.end())
            if self.text[match.end() : match.end() + 1] == "百":  # 百分之百
                self.add(match.start(), match.end() + 1, Percent(100 * _DIVIDED[match["base"]]))
            elif found is not None:
                value, others = _percent(found, _DIVIDED[match["base"]], _per(self.text, match.start()))
                end = found.end
                if re.match(r"[到至~\-]", self.text[end : end + 1]) and (to := number_at(self.text, end + 1)):
                    value, others, end = Percent(None), (), to.end
                self.add(match.start(), end, value, others)

    def interest(self) -> None:
        """年息三厘 is 3 % a year, 月息一分 1 % a month; without the period both readings stand."""
        for match in (*_INTEREST.finditer(self.text), *_OF_INTEREST.finditer(self.text)):
            ten = 10 if match["unit"] == "分" else 1
            size = Decimal(_digit(match["n"]) * ten)
            if match["half"]:
                size += (
                    Decimal(ten) / 2 if match["half"] == "半" else Decimal(_digit(match["more"]) * ten) / 10
                )
            year, month = Percent(size, "year"), Percent(size / 10, "month")
            if match["period"]:
                self.add(*match.span(), year if match["period"] == "年" else month)
            else:
                self.add(*match.span(), year, (month,))

    def words(self) -> None:
        """八五折, 两个半点, 半个点, 三分之一, 百分百."""
        for match in re.finditer("百分百", self.text):
            self.add(*match.span(), Percent(Decimal(100)))
        for match in _DISCOUNT.finditer(self.text):
            digits = [Decimal(_digit(char)) for char in match[1] if char not in ".点"]
            self.add(*match.span(), Percent(digits[0] * 10 + (digits[1] if len(digits) > 1 else 0)))
        for match in _HALF_POINT.finditer(self.text):
            whole = Decimal(_digit(match["whole"])) if match["whole"] else Decimal(0)
            self.add(*match.span(), Percent(whole + Decimal("0.5")))
        for match in _FRACTION.finditer(self.text):
            share = Decimal(100 * _digit(match[2])) / _digit(match[1])
            self.add(*match.span(), Percent(share.quantize(_SHARE_PLACES).normalize()))

    def numbers(self) -> None:
        """3.5%, 三个点, 50bp, 三成."""
        for found in scan(self.text):
            match = _UNIT.match(self.text, found.end)
            if match is None:
                continue
            value, others = _said(match, found, _per(self.text, found.start))
            start, joint = found.start, found.start - 1
            if joint > 0 and _JOINT.match(self.text[joint]) and self.text[joint - 1].isalnum():
                value, others = Percent(None), ()  # 3到5个点
            self.add(start, match.end(), value, others)


def read_percents(text: str) -> list[Reading[Percent]]:
    """Every rate or share, in order; vague ones (几个点) and ranges (3到5%) have no value: ask."""
    finder = _Finder(text)
    finder.divided()
    finder.interest()
    finder.words()
    finder.numbers()
    return sorted(finder.found, key=lambda reading: reading.start)
