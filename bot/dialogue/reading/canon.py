"""A canonical copy of a customer's text that can be pointed back to the original.

Full-width and traditional forms are folded one character to one, and blanks beside Chinese characters
(speech recognisers put one between words) are dropped. Readers match on the copy and report spans of
the original.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from bot.dialogue.reading.types import Reading

T = TypeVar("T")

TEXT_CHARS_MAX = 4000  # more than any message of a customer; what is behind is not read
_BEFORE_CHARS = 16

MASK = "\x00"  # stands where another reader has already taken the characters

_TRADITIONAL = dict(
    zip(
        "萬億兩貳參陸肆捌玖壹弍塊錢圓號個週禮後幾點轉給帳帐張陳劉黃趙吳楊孫馬許鄭馮鄧葉蘇盧鐘譚賈賀顧龍萬錢湯嚴"
        "龔韓楊蔣歐陽諸閻銀業農電費氣視園東單樂寧遠義國慶節元間過從現發匯還兒媽爺師總經醫話機這個時開關買賣選項"
        "倆數聯貴們薩蕭羅許謝鄒範衛倪呂孟紀錶戶戸幣紙臺鎊贛魯滬蘇遼豫雲陝甯應憶財險貸儲證資產額網",
        "万亿两贰叁陆肆捌玖壹贰块钱圆号个周礼后几点转给账账张陈刘黄赵吴杨孙马许郑冯邓叶苏卢钟谭贾贺顾龙万钱汤严"
        "龚韩杨蒋欧阳诸阎银业农电费气视园东单乐宁远义国庆节元间过从现发汇还儿妈爷师总经医话机这个时开关买卖选项"
        "俩数联贵们萨萧罗许谢邹范卫倪吕孟纪表户户币纸台镑赣鲁沪苏辽豫云陕宁应忆财险贷储证资产额网",
        strict=True,
    )
)
_NUMERALS = dict(zip("壹贰叁肆伍陆柒捌玖拾佰仟〇○◯", "一二三四五六七八九十百千零零零", strict=True))
_PUNCTUATION = {
    "￥": "¥",
    "－": "-",
    "–": "-",
    "—": "-",
    "−": "-",
    "～": "~",
    "〜": "~",
    "\n": "，",
    "\r": " ",
}
_INVISIBLE = frozenset("\u200b\u200c\u200d\ufeff\u2060\x00")


def _build_table() -> dict[int, str]:
    table: dict[int, str] = {}
    for code in range(0xFF01, 0xFF5F):  # full-width ASCII
        table[code] = chr(code - 0xFEE0)
    for keep in "，；：？！（）":  # punctuation keeps its Chinese form: a full-width comma groups no digits
        table.pop(ord(keep), None)
    table[ord("：")] = ":"
    for code in range(ord("A"), ord("Z") + 1):
        table[code] = chr(code + 32)
        table[code + 0xFEE0] = chr(code + 32)
    for source, target in _TRADITIONAL.items():
        table[ord(source)] = _NUMERALS.get(target, target)
    for mapping in (_NUMERALS, _PUNCTUATION):
        for source, target in mapping.items():
            table[ord(source)] = target
    return table


_TABLE = _build_table()


def is_han(char: str) -> bool:
    """True for a Chinese character (the ranges names and words are written in)."""
    return (
        "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or "\U00020000" <= char <= "\U0002ffff"
    )


@dataclass(frozen=True, slots=True)
class Canon:
    """Canonical text with, for each of its characters, the offset in the original."""

    original: str
    text: str
    offsets: tuple[int, ...]

    def reading(self, value: T, start: int, end: int, alternatives: tuple[T, ...] = ()) -> Reading[T]:
        """A Reading whose span is mapped from canonical offsets to the original text."""
        first, last = self.offsets[start], self.offsets[end - 1] + 1
        return Reading(value, first, last, self.original[first:last], alternatives)

    def said(self, start: int, end: int) -> str:
        """The customer's own characters for a canonical span, without the blanks between them."""
        return "".join(self.original[offset] for offset in self.offsets[start:end])


@lru_cache(maxsize=256)
def canon(text: str) -> Canon:
    """Fold a text; several readers look at the same message, hence the small cache."""
    folded = text[:TEXT_CHARS_MAX].translate(_TABLE)
    chars: list[str] = []
    offsets: list[int] = []
    blank_at = -1
    for offset, char in enumerate(folded):
        if char in _INVISIBLE or text[offset] in _INVISIBLE:
            continue
        if char.isspace():
            blank_at = offset if blank_at < 0 else blank_at
            continue
        if blank_at >= 0 and chars and _is_plain(chars[-1]) and _is_plain(char):
            chars.append(" ")
            offsets.append(blank_at)
        blank_at = -1
        chars.append(char)
        offsets.append(offset)
    return Canon(text, "".join(chars), tuple(offsets))


def _is_plain(char: str) -> bool:
    return char.isascii() and char.isalnum()


def tail_of(text: str, at: int) -> str:
    """The few characters before ``at``: enough to see what introduces a figure or a name."""
    return text[max(0, at - _BEFORE_CHARS) : at]


def masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with the spans blanked out, same length."""
    chars = list(text)
    for start, end in spans:
        chars[start:end] = MASK * (end - start)
    return "".join(chars)
