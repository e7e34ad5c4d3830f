"""Phone, card and identity numbers, card tails and plain digits, written or spoken (幺三八…)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.dialogue.reading.canon import canon, tail_of
from bot.dialogue.reading.numerals import DIGITS, to_ascii_digits
from bot.dialogue.reading.types import Reading, covers


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A bank card number of 12 to 19 digits; ``luhn_ok`` tells whether its check digit is right."""

    digits: str
    luhn_ok: bool


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A resident identity number: 17 digits and a check character (ISO 7064 MOD 11-2)."""

    number: str
    checksum_ok: bool
    birth_date: date | None


Span = tuple[int, int, str]  # canonical start, end, digits

_D: Final = "[0-9零一二三四五六七八九幺]"
_UNIT: Final = "[十百千万亿]"
_NO_DIGIT_BEFORE: Final = f"(?<!{_D})(?<!{_D}[.])"
_NO_DIGIT_AFTER: Final = f"(?!{_D}(?!{_UNIT}))(?![.][0-9])"
_SEP: Final = r"[ \-]?"
_LOOSE_SEP: Final = r"[ \-，、,.。]?"
_CARD_DIGITS_MIN: Final = 16
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:[,，][0-9]{3})+(?:[.。][0-9]+)?")
_PAUSE: Final = re.compile(r"[，、,.。]")
# How eleven digits fall into two parts when somebody pauses once; 138001380，50 is a short number and something else.
_PAUSED_ONCE: Final = frozenset({(3, 8), (7, 4), (4, 7), (8, 3), (5, 6), (6, 5)})

_PHONE: Final = re.compile(
    rf"{_NO_DIGIT_BEFORE}(?:(?:\+|00)?86{_SEP})?(?P<number>[1一幺]{_SEP}[3-9三四五六七八九](?:{_SEP}{_D}){{9}}){_NO_DIGIT_AFTER}"
)
_PHONE_PAUSED: Final = re.compile(
    rf"{_NO_DIGIT_BEFORE}(?P<number>[1一幺]{_LOOSE_SEP}[3-9三四五六七八九](?:{_LOOSE_SEP}{_D}){{9}})(?!{_LOOSE_SEP}{_D})(?![元块毛])"
)
_CARD: Final = re.compile(
    rf"{_NO_DIGIT_BEFORE}(?P<number>{_D}{{12,19}}|{_D}{{4}}(?P<sep>[ \-]){_D}{{4}}(?P=sep){_D}{{4}}(?:(?P=sep){_D}{{4}})?(?:(?P=sep){_D}{{1,3}})?|{_D}{{6}}[ \-]{_D}{{6,13}}){_NO_DIGIT_AFTER}(?![x叉艾埃])"
)
_ID: Final = re.compile(
    rf"{_NO_DIGIT_BEFORE}(?P<number>{_D}{{6}}{_SEP}{_D}{{8}}{_SEP}{_D}{{3}}(?:[0-9x零一二三四五六七八九幺叉]|[艾埃]克斯)){_NO_DIGIT_AFTER}(?![a-z])"
)
_TAIL_DIGITS: Final = rf"(?P<number>{_D}(?:[ 、]?{_D}){{3}}){_NO_DIGIT_AFTER}"
_TAIL: Final = re.compile(
    rf"(?:尾号|尾数|卡尾号|(?:最后|后|末|尾)[四4]?[位个]数?|后[四4]位(?:数字?)?)(?:是|为|:|就是|，)*{_TAIL_DIGITS}"
    rf"|{_NO_DIGIT_BEFORE}{_TAIL_DIGITS.replace('?P<number>', '?P<behind>')}(?:结尾|尾号)?(?:的|那|这)*张?的?(?:卡|储蓄卡|信用卡|银行卡|借记卡|结尾|尾号)"
    rf"|{_NO_DIGIT_BEFORE}{_TAIL_DIGITS.replace('?P<number>', '?P<that>')}(?:的?那|的?这)张"
    rf"|(?<=[从用]){_TAIL_DIGITS.replace('?P<number>', '?P<source>')}(?=里?[转付扣出划打汇交缴])"
)
_TAIL_NEXT: Final = re.compile(
    rf"(?:的?卡?)(?:和|跟|与|、|还有|或者?){_TAIL_DIGITS}(?=的|$|[，。,!?！？]|转|都|卡|这|那)"
)
_TIMES: Final = "一两二三四五六"
_ONE: Final = rf"(?:[{_TIMES}]个{_D}|{_D})(?!{_UNIT})"
_RUN: Final = re.compile(rf"{_ONE}(?:[ \-]?{_ONE})*")
_REPEATED: Final = re.compile(rf"([{_TIMES}])个({_D})")
_TAIL_BEFORE: Final = re.compile(r"(?:尾号|尾数)(?:是|为|:)?$")
_MOBILE: Final = re.compile(r"(?:(?:00)?86)?(1[3-9][0-9]{9})")
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"


def luhn_ok(digits: str) -> bool:
    """True when the check digit of a card number fits (ISO/IEC 7812-1)."""
    if not digits or not digits.isascii() or not digits.isdigit():
        return False
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def id_checksum_ok(number: str) -> bool:
    """True when the last character of an 18-character identity number fits (ISO 7064 MOD 11-2)."""
    body, check = number[:17], number[17:].upper()
    if len(number) != 18 or not body.isascii() or not body.isdigit():
        return False
    total = sum(int(char) * weight for char, weight in zip(body, _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11] == check


def _birth_date(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def find_id_numbers(text: str) -> list[Span]:
    """Identity numbers in canonical text: 18 places ending in X, or with a true birth date, or a right check."""
    found: list[Span] = []
    for match in _ID.finditer(text):
        said = re.sub(r"叉|[艾埃]克斯", "x", match.group("number"))
        number = to_ascii_digits(said[:-1]) + (
            said[-1].upper() if said[-1] == "x" else to_ascii_digits(said[-1])
        )
        likely = number.endswith("X") or id_checksum_ok(number) or not luhn_ok(number)
        born = _birth_date(number)
        if likely and (number.endswith("X") or (born is not None and 1900 <= born.year <= 2100)):
            found.append((*match.span(), number))
    return found


def _in_fours(text: str) -> list[Span]:
    """Digits in groups of four that are too many for a phone: no part of them is one."""
    spans = [(*match.span(), to_ascii_digits(match.group("number"))) for match in _CARD.finditer(text)]
    return [span for span in spans if len(span[2]) >= _CARD_DIGITS_MIN]


def find_phones(text: str) -> list[Span]:
    """Mobile numbers in canonical text."""
    cards = _in_fours(text)
    found = [
        (*match.span(), to_ascii_digits(match.group("number")))
        for match in _PHONE.finditer(text)
        if _free(match.span(), cards)
    ]
    for match in _PHONE_PAUSED.finditer(text):
        parts = tuple(len(to_ascii_digits(part)) for part in _PAUSE.split(match.group("number")))
        usual = len(parts) != 2 or parts in _PAUSED_ONCE
        thousands = _THOUSANDS.fullmatch(match.group("number"))  # 130,000,000.00 is an amount
        if usual and not thousands and _free(match.span(), [*found, *cards]):
            found.append((*match.span(), to_ascii_digits(match.group("number"))))
    for start, end, digits in _counted_runs(text):
        if (mobile := _MOBILE.fullmatch(digits)) and _free((start, end), found):
            found.append((start, end, mobile[1]))
    return sorted(found)


def _free(span: tuple[int, int], others: Iterable[Span]) -> bool:
    return all(span[1] <= start or end <= span[0] for start, end, _ in others)


def _counted_runs(text: str) -> list[Span]:
    """Runs of digits in which some are counted, 一三八两个零三个五, with the digits meant."""
    return [
        (*match.span(), _plain_digits(match.group()))
        for match in _RUN.finditer(text)
        if _REPEATED.search(match.group())
    ]


def _plain_digits(said: str) -> str:
    plain = _REPEATED.sub(lambda part: part.group(2) * DIGITS[part.group(1)], said)
    return to_ascii_digits(plain)


def find_card_numbers(text: str) -> list[Span]:
    """Card numbers in canonical text, identity and phone numbers left out."""
    others = [*find_id_numbers(text), *find_phones(text)]
    found: list[Span] = []
    for match in _CARD.finditer(text):
        start, end = match.span()
        digits = to_ascii_digits(match.group("number"))
        if match.group("sep") and len(digits) > 16 and not luhn_ok(digits) and luhn_ok(digits[:16]):
            # 6222 0212 3456 7894 500: the last group is something else
            end -= len(digits) - 15
            digits = digits[:16]
        if _free((start, end), others) and 12 <= len(digits) <= 19:
            found.append((start, end, digits))
    for start, end, digits in _counted_runs(text):
        if 12 <= len(digits) <= 19 and _free((start, end), [*others, *found]):
            found.append((start, end, digits))
    return sorted(found)


def find_card_tails(text: str) -> list[Span]:
    """The last four digits by which a customer names a card, in canonical text."""
    found: list[Span] = []
    for match in _TAIL.finditer(text):
        if not _free(match.span(), found):  # named by 尾号6789和1234 already
            continue
        said = next(part for part in match.groups() if part)
        found.append((*match.span(), to_ascii_digits(said)))
        at = match.end()
        while more := _TAIL_NEXT.match(text, at):
            found.append((*more.span("number"), to_ascii_digits(more.group("number"))))
            at = more.end()
    for start, end, digits in _counted_runs(text):
        named = _TAIL_BEFORE.search(tail_of(text, start))
        if named and len(digits) == 4 and _free((start, end), found):
            found.append((start - len(named.group()), end, digits))
    return sorted(found)


def read_phones(text: str) -> list[Reading[str]]:
    """Mobile numbers as 11 ASCII digits; blanks, dashes, +86 and spoken digits (幺三八) are understood."""
    copy = canon(text)
    return [copy.reading(digits, start, end) for start, end, digits in find_phones(copy.text)]


def read_card_numbers(text: str) -> list[Reading[CardNumber]]:
    """Bank card numbers of 12 to 19 digits, with the result of the Luhn check."""
    copy = canon(text)
    found = find_card_numbers(copy.text)
    return [copy.reading(CardNumber(digits, luhn_ok(digits)), start, end) for start, end, digits in found]


def read_card_tails(text: str) -> list[Reading[str]]:
    """Four-digit card tails (尾号6789, 后四位六七八九, 6789的卡)."""
    copy = canon(text)
    return [copy.reading(digits, start, end) for start, end, digits in find_card_tails(copy.text)]


def read_id_numbers(text: str) -> list[Reading[IdNumber]]:
    """Resident identity numbers with the result of their checksum."""
    copy = canon(text)
    return [
        copy.reading(IdNumber(number, id_checksum_ok(number), _birth_date(number)), start, end)
        for start, end, number in find_id_numbers(copy.text)
    ]


def read_digit_runs(text: str) -> list[Reading[str]]:
    """Runs of digits as ASCII, written or spoken: 幺三八 is 138, 三个零 is 000 beside other digits."""
    copy = canon(text)
    found: list[Reading[str]] = []
    for match in _RUN.finditer(copy.text):
        if _REPEATED.fullmatch(
            match.group()
        ):  # 三个八 alone may be a count of eights: leave it to the customer
            continue
        found.append(copy.reading(_plain_digits(match.group()), *match.span()))
    return found


def read_longest_digits(text: str) -> str:
    """The longest run of digits in a text, "" for none: to say what is wrong with a number that is none."""
    return max((run.value for run in read_digit_runs(text)), key=len, default="")


def read_digits(text: str) -> str:
    """The digits of a text that is nothing but digits and fillers, as ASCII; "" for any other text.

    幺二三，四五六 gives 123456; 五百 and 转123给我456 give "".
    """
    runs = read_digit_runs(text)
    return "".join(run.value for run in runs) if covers(text, *runs) else ""
