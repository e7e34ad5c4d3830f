"""Chinese, Arabic and mixed numerals as people write and say them.

三千五 is 3500, 两万三 23000, 一万零五 10005, 3万5 35000, 1.5万 15000, 5k 5000. 五六百 is 500 or 600: both are
reported. What names no figure (几百, 十几, 三五百, 一千多) and what cannot be read (五百三百, 1,2000) is vague,
never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from bot.dialogue.reading.canon import Canon, canon
from bot.dialogue.reading.name_lexicon import SURNAMES_COMMON
from bot.dialogue.reading.types import Reading

DIGITS: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "幺": 1,
    "两": 2,
    "俩": 2,
    "仨": 3,
}
UNITS: Final = {"十": 10, "百": 100, "千": 1000, "k": 1000}
TENS: Final = {"廿": 20, "卅": 30, "卌": 40}
WAN: Final = 10**4
YI: Final = 10**8
_SCALES: Final = {"万": WAN, "w": WAN, "亿": YI}
_DIGITS_WRITTEN_MAX: Final = 24  # a longer run of Arabic digits is no quantity anyone means

_RUN = re.compile(r"[零一二三四五六七八九十百千万亿两几廿卅卌半幺]+|[0-9][0-9.,]*(?:[kw](?![a-z]))?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9.,]*[0-9])")
_WIDE_GROUPED = re.compile(r"[0-9]{1,3}([， ])[0-9]{3}(?:\1[0-9]{3})*(?:\.[0-9]+)?(?! ?[0-9])")
_TORN = re.compile(r"[0-9]+(?: [0-9]+)* 0[0-9]*(?![.0-9])")  # 30 00: neither 30 nor certainly 3000
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?(?![.,]?[0-9])")
_MALFORMED = re.compile(r"[0-9]+(?:[.,]+[0-9]+)+")
_DIGIT_STRING = re.compile(r"[零一二三四五六七八九幺]{2,}")
_HAN_RUN = re.compile(r"[零一二三四五六七八九十百千万亿两]+")
_NEIGHBOURS = re.compile(
    r"(?<![零一二三四五六七八九两])(?:一[两二]|[两二]三|三四|四五|五六|六七|七八|八九)(?![零一二三四五六七八九两])"
)
_COUNTED_SCALE = re.compile(
    r"([一两三四五六七八九十半]|[0-9]{1,3}(?:\.[0-9]+)?)个(半)?(?:([万亿])|(w)(?![a-z]))"
)
_SLIPPED_POINT = re.compile(r"([0-9]{1,7})。([0-9]{1,2})(?![0-9.,。，])(?=$|元|块|万)")
_VAGUE_WORD = re.compile(
    r"好几[十百千万亿]+|几[十百千万亿]+|几(?=个|块|元|毛|角|分钱|张|笔|天|年|周)"
    r"|(?<![次总人天分参指份])数[十百千万亿]+|(?<![晚早马网以身路线])上[百千万亿]+(?=个|块|元|多|人|次|笔|的|$)"
    r"|百(?:来|把|十来|八十|十)(?=个|块|元|人|次|斤|$)|千(?:把|来|八百)(?=个|块|元|人|次|斤|$)"
    r"|万(?:把|来|八千)(?=个|块|元|人|次|斤|$)|百儿八十|[千万]儿八[百千]|[百千万亿]{1,2}(?=元|块)|块把(?=钱|$|[，。吧])"
)
_VAGUE_TAIL = re.compile(
    r"好几|多(?![少久长大远次样谢云])|来(?=个|块|元|人|天|次|万|斤|岁|亿|美|港|欧|$)|余(?=元|块|万|人|次|天|个|亿)|几"
)
_CLOCK_BEFORE = re.compile(r"(?:上午|下午|晚上|早上|中午|凌晨|傍晚|半夜|今晚|明早|明晚)$")
_HALF_NOT_AFTER = "年月天个小价路夜径"
_PERSONS_BEFORE_PAIR = "我你您他她它们"


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity. ``value`` is None exactly when ``vague``; ``about`` is then the round figure heard, if any.

    ``decimals`` counts digits written after the point when no 百/千/万 follows (3.50 has two).
    ``digits`` marks a plain run of digits (5000, 幺三八), ``leading_zero`` one such as 0050.
    """

    value: Decimal | None
    vague: bool = False
    about: Decimal | None = None
    decimals: int = 0
    digits: bool = False
    leading_zero: bool = False


class Found(NamedTuple):
    """A number with its span in canonical text."""

    start: int
    end: int
    number: Number
    alternatives: tuple[Number, ...] = ()


@dataclass(slots=True)
class _State:
    """A numeral under construction: 亿 part, 万 part, the section below, and a digit awaiting its unit."""

    yi: Decimal = Decimal(0)
    wan: Decimal = Decimal(0)
    part: Decimal = Decimal(0)
    pending: Decimal | None = None
    pending_arabic: str = ""
    limit: int = WAN  # units in this section must be smaller
    last_unit: int = 0
    zero: bool = False
    seen_wan: bool = False
    seen_yi: bool = False
    units: int = 0
    broken: bool = False

    def colloquial(self) -> bool:
        """True when the last digit stands for the next smaller unit: the 五 of 三千五."""
        certain = self.zero or self.last_unit < 100 or len(self.pending_arabic) > 1
        return self.pending is not None and not certain

    def section(self) -> Decimal:
        """The section below the last 万 or 亿, with a trailing colloquial digit resolved."""
        pending = self.pending or Decimal(0)
        return self.part + (pending * self.last_unit / 10 if self.colloquial() else pending)

    def total(self) -> Decimal:
        return self.yi + self.wan + self.section()

    def take_unit(self, unit: int) -> bool:
        if unit >= self.limit or (self.pending is None and unit != 10):
            return False
        if self.pending is None and self.part and not self.zero:
            return False
        self.part += (Decimal(1) if self.pending is None else self.pending) * unit
        self._after_unit(unit)
        self.limit = unit
        return True

    def take_tens(self, value: int) -> bool:
        if self.pending is not None or self.limit <= 10:
            return False
        self.part += value
        self._after_unit(10)
        self.limit = 10
        return True

    def take_scale(self, scale: int) -> bool:
        inner = self.part + (self.pending or 0)
        # 三千五万: 3500 or 3005 times 10000, nobody can tell
        self.broken |= self.pending is not None and self.last_unit in (100, 1000) and not self.zero
        if scale == WAN:
            if self.seen_wan or not inner:
                return False
            self.wan = inner * WAN
            self.seen_wan = True
        else:
            if self.seen_yi or not (inner or self.wan):
                return False
            self.yi = (self.wan + inner) * YI
            self.wan, self.seen_wan, self.seen_yi = Decimal(0), False, True
        self.part = Decimal(0)
        self._after_unit(scale)
        self.limit = WAN
        return True

    def _after_unit(self, unit: int) -> None:
        self.pending, self.pending_arabic = None, ""
        self.last_unit, self.zero = unit, False
        self.units += 1


def _arabic_at(text: str, at: int) -> str:
    match = _GROUPED.match(text, at) or _PLAIN.match(text, at)
    return match.group() if match else ""


def _take_digit(text: str, at: int, state: _State) -> int:
    """Take a digit or an Arabic number at ``at``: its end, or ``at`` when it does not belong."""
    char = text[at]
    if char.isascii():
        written = _arabic_at(text, at)
        value = Decimal(written.replace(",", "")) if written else Decimal(0)
        if not written or state.pending is not None or len(written) > _DIGITS_WRITTEN_MAX:
            return at
        if state.last_unit and (value >= state.last_unit or "." in written):
            state.broken = True
            return at
        state.pending, state.pending_arabic = value, written
        return at + len(written)
    if state.pending is not None or (char in "两俩仨" and state.last_unit == 10):
        return at
    state.pending = Decimal(DIGITS[char])
    return at + 1


def _step(text: str, at: int, state: _State) -> int:
    """Consume one token: the new position, or ``at`` when the numeral ends here."""
    char = text[at]
    if char in "kw" and (
        not state.pending_arabic or (text[at + 1 : at + 2].isalpha() and text[at + 1].isascii())
    ):
        return at
    if char == "零":
        following = text[at + 1 : at + 2]
        if state.pending is None and not state.units and not state.zero:
            state.pending = Decimal(0)
            return at + 1
        if (
            state.pending is not None
            or not state.units
            or (following not in DIGITS and following not in UNITS)
        ):
            return at
        state.zero = True
        return at + 1
    if char in UNITS:
        return at + 1 if state.take_unit(UNITS[char]) else at
    if char in TENS:
        return at + 1 if state.take_tens(TENS[char]) else at
    if char in _SCALES:
        return at + 1 if state.take_scale(_SCALES[char]) else at
    if char in DIGITS or ("0" <= char <= "9"):
        return _take_digit(text, at, state)
    return at


def _decimal_tail(text: str, start: int, at: int, state: _State) -> tuple[int, Decimal, int] | None:
    """点五 after a whole number: (end, fraction, decimals), or None when it is a clock time or 一点."""
    match = re.compile(r"点([零一二三四五六七八九0-9]+)(?![十百刻分])").match(text, at)
    if (
        match is None
        or state.pending_arabic.find(".") >= 0
        or _CLOCK_BEFORE.search(text[max(0, start - 2) : start])
    ):
        return None
    digits = to_ascii_digits(match.group(1))
    if len(digits) > _DIGITS_WRITTEN_MAX:
        return None
    return match.end(), Decimal("0." + digits), len(digits)


def _vague_over_run(text: str, at: int) -> Found:
    end = at
    while match := _RUN.match(text, end):
        end = match.end()
    return Found(at, max(end, at + 1), Number(None, vague=True))


def _anomaly(text: str, start: int, at: int, state: _State) -> bool:
    """True when the numeral stopped where no numeral may stop: its reading cannot be trusted."""
    following = text[at : at + 1]
    if state.broken:
        return True
    if not following:
        return False
    if following in "十百千万亿几" or following in TENS:
        return True
    if following == "零":
        return text[at + 1 : at + 2] in (*DIGITS, "十", *"0123456789")
    if following == "点" and state.colloquial():
        return text[at + 1 : at + 2] in (*DIGITS, *"0123456789")
    if following in DIGITS:
        return not (state.pending_arabic and not state.units and len(state.pending_arabic) >= 4)
    if "0" <= following <= "9":
        return not (state.pending is not None and not state.units and len(_arabic_at(text, at)) >= 2)
    return False


def _whole(text: str, start: int) -> Found | None:
    """The numeral with units beginning at ``start``."""
    state = _State()
    at = start
    while at < len(text) and (following := _step(text, at, state)) != at:
        at = following
    if at == start:
        return None
    decimals = len(state.pending_arabic.partition(".")[2]) if not state.units else 0
    if not state.colloquial() and (tail := _decimal_tail(text, start, at, state)):
        return _spoken_decimal(text, start, state.total(), tail)
    if _anomaly(text, start, at, state):
        return _vague_over_run(text, start)
    value = state.total()
    half = text[at : at + 1] == "半" and text[at + 1 : at + 2] not in tuple(_HALF_NOT_AFTER)
    if half and state.units and state.pending is None and state.last_unit >= 100:
        return Found(start, at + 1, Number(value + Decimal(state.last_unit) / 2))
    plain = state.pending_arabic if not state.units else ""
    leading_zero = len(plain) > 1 and plain[0] == "0" and plain[1] != "."
    return Found(start, at, Number(value, decimals=decimals, digits=bool(plain), leading_zero=leading_zero))


def _spoken_decimal(text: str, start: int, whole: Decimal, tail: tuple[int, Decimal, int]) -> Found:
    end, fraction, decimals = tail
    value = whole + fraction
    scale = {"千": 1000, "万": WAN, "亿": YI}.get(text[end : end + 1])
    if scale is None:
        return Found(start, end, Number(value, decimals=decimals))
    alternatives: tuple[Number, ...] = ()
    if scale == 1000:  # 三点五千块: 3500, or 5000 at three o'clock
        alternatives = (Number(fraction.scaleb(decimals) * 1000),)
    return Found(start, end + 1, Number(value * scale), alternatives)


def _digit_string(text: str, at: int) -> Found | None:
    """幺三八, 二零二五: digits said one by one; two rising ones (五六) are 'five or six'."""
    match = _DIGIT_STRING.match(text, at)
    if match is None:
        return None
    said, end = match.group(), match.end()
    following = text[end : end + 1]
    if following and following in "十百千万亿几廿卅":
        return None if said[0] == "零" else _vague_over_run(text, at)
    if "0" <= following <= "9":
        return _vague_over_run(text, at)
    if following == "点" and len(said) > 1 and re.match(r"点[零一二三四五六七八九]", text[end:]):
        return Found(at, end, Number(None, vague=True))
    digits = to_ascii_digits(said)
    rising = (
        len(digits) == 2 and (int(digits[1]) - int(digits[0]) == 1 or digits == "35") and digits[0] != "0"
    )
    if rising or len(digits) > _DIGITS_WRITTEN_MAX:
        return Found(at, end, Number(None, vague=True))
    return Found(at, end, Number(Decimal(digits), digits=True, leading_zero=digits[0] == "0"))


def _half(text: str, at: int) -> Found | None:
    """半万, 半个, 一半, 两个半."""
    if match := re.compile(r"半([百千万亿])").match(text, at):
        unit = UNITS.get(match.group(1)) or _SCALES[match.group(1)]
        return Found(at, match.end(), Number(Decimal(unit) / 2))
    if match := re.compile(r"半(?=[个块年月天斤小])|一半").match(text, at):
        return Found(at, match.end(), Number(Decimal("0.5")))
    if match := re.compile(r"([一两三四五六七八九十0-9])个半(?!月)").match(text, at):
        return Found(at, match.end(), Number(_count(match.group(1)) + Decimal("0.5")))
    return None


def _count(said: str) -> Decimal:
    """一, 十, 半 or 1.5 as a number."""
    words = {"十": Decimal(10), "半": Decimal("0.5")}
    return Decimal(said) if said.isascii() else words.get(said) or Decimal(DIGITS[said])


def _counted_scale(text: str, at: int) -> Found | None:
    """一个亿, 三个w, 一个半万, 半个亿."""
    match = _COUNTED_SCALE.match(text, at)
    if match is None:
        return None
    count = _count(match.group(1)) + (Decimal("0.5") if match.group(2) else 0)
    if match.end() < len(text) and text[match.end()] in "零一二三四五六七八九十百千万亿半几":
        return Found(at, match.end(), Number(None, vague=True))
    return Found(at, match.end(), Number(count * _SCALES[match.group(3) or match.group(4)]))


def _neighbours(text: str, at: int) -> Found | None:
    """五六百 is 500 or 600, 一百二三 120 or 130, 十五六 15 or 16; 五六 without a unit may be 56 and is left alone."""
    run = _HAN_RUN.match(text, at)
    if run is None or text[run.end() : run.end() + 1] in tuple("点半几廿卅卌0123456789"):
        return None
    said = run.group()
    pairs = list(_NEIGHBOURS.finditer(said))
    counted = tuple("块元毛角个天周成年" if "两" in said else "块元毛角个天周成")  # 二三年 may be 2023
    alone = pairs and len(said) == 2 and text[run.end() : run.end() + 1] not in counted
    if len(pairs) != 1 or alone:
        return None
    pair = pairs[0]
    if pair.start() == 0 and at and text[at - 1] in SURNAMES_COMMON:  # 李四五十: the 四 is a part of the name
        return None
    least, most = (_whole(said[: pair.start()] + digit + said[pair.end() :], 0) for digit in pair.group())
    if least is None or most is None or least.number.value is None or most.number.value is None:
        return None
    if least.end < len(said) - 1 or most.end < len(said) - 1:
        return None
    return Found(at, run.end(), least.number, (most.number,))


def _slipped_point(text: str, at: int) -> Found | None:
    """5。2 is 5.2 typed with Chinese punctuation, or 5 and then 2."""
    match = _SLIPPED_POINT.match(text, at)
    if match is None:
        return None
    whole, fraction = match.groups()
    spoiled = len(whole) > 1 and whole[0] == "0"
    value = None if spoiled else Decimal(f"{whole}.{fraction}")
    others = () if value is None else (Number(Decimal(fraction), leading_zero=fraction[0] == "0"),)
    number = Number(value, vague=spoiled, decimals=len(fraction))
    return _times_wan(text, Found(at, match.end(), number, others))


def _times_wan(text: str, found: Found) -> Found:
    value = found.number.value
    if value is None or text[found.end : found.end + 1] != "万":
        return found
    others = tuple(Number(other.value * WAN) for other in found.alternatives if other.value is not None)
    return Found(found.start, found.end + 1, Number(value * WAN), others)


def _malformed_arabic(text: str, at: int) -> Found | None:
    """1,2000 and 2025.10.1 and endless digits: consumed whole so that no half of them is taken."""
    if match := _WIDE_GROUPED.match(text, at):
        groups = match.group().split(match.group(1))
        if len(match.group()) <= _DIGITS_WRITTEN_MAX:
            apart = groups if match.group(1) == " " and groups[-1][0] != "0" else groups[-1:]
            others = tuple(Number(Decimal(group)) for group in apart if group[0] != "0")
            return Found(at, match.end(), Number(Decimal("".join(groups))), others)
    if torn := _TORN.match(text, at):
        return Found(at, torn.end(), Number(None, vague=True))
    if _GROUPED.match(text, at) or not ("0" <= text[at] <= "9"):
        return None
    match = _MALFORMED.match(text, at)
    if match and not _PLAIN.fullmatch(match.group()):
        return Found(at, match.end(), Number(None, vague=True))
    match = re.compile(r"[0-9]+").match(text, at)
    if match and len(match.group()) > _DIGITS_WRITTEN_MAX:
        return Found(at, match.end(), Number(Decimal(10) ** 40, digits=True))
    return None


_READINGS: Final = (
    _counted_scale,
    _half,
    _slipped_point,
    _malformed_arabic,
    _neighbours,
    _digit_string,
    _whole,
)


def _first_reading(text: str, at: int) -> Found | None:
    return next((found for read in _READINGS if (found := read(text, at))), None)


def _number_at(text: str, at: int) -> Found | None:
    if match := _VAGUE_WORD.match(text, at):
        return Found(at, match.end(), Number(None, vague=True))
    char = text[at]
    if char in "俩两" and at and text[at - 1] in _PERSONS_BEFORE_PAIR:
        return None
    if char not in DIGITS and char not in "十半" and char not in TENS and not ("0" <= char <= "9"):
        return None
    found = _first_reading(text, at)
    if found is None:
        return None
    tail = _VAGUE_TAIL.match(text, found.end)
    round_enough = found.number.value is not None and found.number.value >= 10
    if tail and (round_enough or tail.group() == "几"):
        end = tail.end()
        while end < len(text) and text[end] in "十百千万亿":  # 十多万, 一百多万
            end += 1
        return Found(
            at, end, Number(None, vague=True, about=found.number.value if end == tail.end() else None)
        )
    return found


def scan(text: str) -> list[Found]:
    """Every number in canonical text, from left to right, never overlapping."""
    found: list[Found] = []
    at = 0
    while at < len(text):
        number = _number_at(text, at)
        if number is None:
            at += 1
            continue
        found.append(number)
        at = number.end
    return found


def number_at(text: str, at: int) -> Found | None:
    """The number beginning exactly at ``at`` in canonical text."""
    return _number_at(text, at) if 0 <= at < len(text) else None


def to_ascii_digits(said: str) -> str:
    """Spoken or written digits (幺三8) as ASCII digits; other characters are dropped."""
    return "".join(char if char.isascii() and char.isdigit() else str(DIGITS.get(char, "")) for char in said)


def parse_integer(text: str) -> int | None:
    """The whole text as one certain whole number, or None. 三十一 and ３１ give 31."""
    copy: Canon = canon(text)
    found = number_at(copy.text, 0)
    if found is None or found.end != len(copy.text) or found.number.value is None or found.alternatives:
        return None
    value = found.number.value
    return int(value) if value == value.to_integral_value() else None


def read_numbers(text: str) -> list[Reading[Number]]:
    """Every number in the text, in order; vague ones (几百, 五六百) have no value."""
    copy = canon(text)
    return [copy.reading(item.number, item.start, item.end, item.alternatives) for item in scan(copy.text)]
