"""Currencies by name, nickname, code or sign (美刀, 港纸, JPY, €), and amounts said in them.

Everything this counter moves is in yuan, so that an amount in another currency is found to be asked about,
never to be paid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.numerals import Found, scan
from bot.dialogue.reading.types import Reading

YUAN: Final = "CNY"


@dataclass(frozen=True, slots=True)
class Currency:
    """``code`` is the ISO 4217 code, ``name`` what customers are told."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ForeignAmount:
    """An amount in another currency than yuan; ``amount`` is None when no certain figure was named (几百美元)."""

    currency: Currency
    amount: Decimal | None


class ForeignSpan(NamedTuple):
    """An amount in another currency with its span in canonical text; ``others`` are further currencies it may be."""

    start: int
    end: int
    value: ForeignAmount
    others: tuple[ForeignAmount, ...] = ()


# code, name, other words; Latin codes and signs stand in _SIGNS.
_TABLE: Final = """
CNY 人民币 软妹币 华币
USD 美元 美金 美刀 美币 美钞
HKD 港元 港币 港纸 港钞
JPY 日元 日币 日圆 円
EUR 欧元
GBP 英镑
AUD 澳元 澳币 澳刀 澳大利亚元
CAD 加元 加币 加刀 加拿大元
SGD 新加坡元 新加坡币 新币 新元 坡币
KRW 韩元 韩币 韩圆
THB 泰铢 泰币
TWD 新台币 台币
MOP 澳门元 澳门币 葡币
CHF 瑞士法郎 瑞郎 法郎
RUB 卢布
NZD 新西兰元 纽币 纽元
MYR 林吉特 令吉 马币
INR 印度卢比 卢比
VND 越南盾 越盾
IDR 印尼盾 印尼卢比
PHP 菲律宾比索
MXN 墨西哥比索
SEK 瑞典克朗
NOK 挪威克朗
DKK 丹麦克朗
"""
_SIGNS: Final = {
    "¥": "CNY", "rmb": "CNY", "cny": "CNY", "us$": "USD", "$": "USD", "usd": "USD", "hk$": "HKD", "hkd": "HKD",
    "jpy": "JPY", "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "au$": "AUD", "a$": "AUD", "aud": "AUD",
    "c$": "CAD", "ca$": "CAD", "cad": "CAD", "s$": "SGD", "sgd": "SGD", "₩": "KRW", "krw": "KRW", "thb": "THB",
    "nt$": "TWD", "twd": "TWD", "mop": "MOP", "chf": "CHF", "rub": "RUB", "nzd": "NZD", "myr": "MYR", "vnd": "VND",
}  # fmt: skip
# Words that name no one currency, the likeliest first: ask.
_OPEN: Final = {"刀": ("USD", "AUD", "CAD"), "盾": ("VND", "IDR"), "比索": ("PHP", "MXN"), "克朗": ("SEK", "NOK", "DKK"), "镑": ("GBP",), "欧": ("EUR",)}  # fmt: skip
_NOT_AFTER: Final = {
    "日元": "旦宵月素",
    "欧": "阳洲美式冶盟元派",
    "刀": "具片子刃锋叉口客削",
    "新元": "素旦",
    "盾": "牌",
}

CURRENCIES: Final = {
    line.split()[0]: Currency(line.split()[0], line.split()[1]) for line in _TABLE.strip().splitlines()
}
_CODES: Final[dict[str, tuple[str, ...]]] = {
    **{word: (line.split()[0],) for line in _TABLE.strip().splitlines() for word in line.split()[1:]},
    **{sign: (code,) for sign, code in _SIGNS.items()},
    **_OPEN,
}


def _pattern(words: list[str]) -> str:
    parts = []
    for word in sorted(words, key=len, reverse=True):
        latin = word[0].isascii() and word[0].isalpha()
        before = "(?<![a-z])" if latin else ""
        behind = "(?![a-z])" if word[-1].isascii() and word[-1].isalpha() else ""
        after = f"(?![{_NOT_AFTER[word]}])" if word in _NOT_AFTER else ""
        parts.append(f"{before}{re.escape(word)}{behind}{after}")
    return "|".join(parts)


_ANY: Final = re.compile(_pattern([word for word in _CODES if word not in _OPEN]))
_BEHIND: Final = re.compile(rf"[ ]?(?:个|块钱?|元)?(?:的)?(?P<word>{_pattern(list(_CODES))})")
_BEFORE: Final = re.compile(rf"(?P<word>{_pattern([word for word in _CODES if word not in _OPEN])})[: ]?-?$")
_BEFORE_CHARS: Final = 8


def _amount(found: Found, code: str) -> ForeignAmount:
    certain = None if found.alternatives else found.number.value
    return ForeignAmount(CURRENCIES[code], certain)


def find_foreign_amounts(text: str, numbers: list[Found]) -> list[ForeignSpan]:
    """The numbers of canonical text that are amounts in another currency than yuan."""
    spans: list[ForeignSpan] = []
    for found in numbers:
        behind = _BEHIND.match(text, found.end)
        window = max(found.start - _BEFORE_CHARS, spans[-1].end if spans else 0, 0)
        before = _BEFORE.search(text[window : found.start])
        match = behind or before
        if match is None or _CODES[match.group("word")][0] == YUAN:
            continue
        codes = _CODES[match.group("word")]
        start = window + before.start() if behind is None and before else found.start
        end = behind.end() if behind else found.end
        first, *others = (_amount(found, code) for code in codes)
        spans.append(ForeignSpan(start, end, first, tuple(others)))
    return spans


def read_currencies(text: str) -> list[Reading[Currency]]:
    """Every currency named, in order, 人民币 among them; 刀, 盾 and 克朗 only behind a number."""
    copy = canon(text)
    found = []
    for match in _ANY.finditer(copy.text):
        first, *others = (CURRENCIES[code] for code in _CODES[match.group()])
        found.append(copy.reading(first, *match.span(), tuple(others)))
    return found


def read_foreign_amounts(text: str) -> list[Reading[ForeignAmount]]:
    """Every amount in another currency than yuan, in order; 200刀 is dollars of three countries: ask."""
    copy = canon(text)
    return [
        copy.reading(span.value, span.start, span.end, span.others)
        for span in find_foreign_amounts(copy.text, scan(copy.text))
    ]
