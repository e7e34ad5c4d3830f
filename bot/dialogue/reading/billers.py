"""Which household bill is meant: water, electricity, gas, property or cable TV."""

from __future__ import annotations

import re
from typing import Final, Literal

from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.types import Reading

BillType = Literal["water", "electricity", "gas", "property", "cable_tv"]

_ALONE: Final = (
    r"(?:(?<![\s\S])|(?<=[交缴查付欠补和、跟]))"  # 水, 电, 气 by themselves: at the start or behind a verb
)
_WORDS: Final[dict[BillType, str]] = {
    "electricity": (
        r"电费单?|国家电网|国网|南方电网|供电局|供电公司|供电|电力公司|电力局|电力|电业局|电表|电卡|用电|(?<=水)电"
        rf"|{_ALONE}电(?![话视子脑信影动梯商台波车瓶池磁竞汇诈压源票])"
    ),
    "water": rf"水费|自来水|水务|水表|水卡|供水|用水(?!果)|水(?=电)|水(?=煤?气)|{_ALONE}水(?![果平准晶产饺货手])",
    "gas": rf"天然气费?|液化气费?|燃气费?|煤气费?|(?<!暖)气费|燃气表|气表|气卡|(?<=水电)(?:煤气?|气)|{_ALONE}气(?![象候温球质氛体垫])",
    "property": r"物业管理费|物业费?|物管费?|小区管理费|(?<![户卡年金额贷])管理费",
    "cable_tv": r"有线电视费?|数字电视费?|电视费|有线费|有线(?![网耳])|闭路电视|闭路|机顶盒|收视费|电视(?=$|缴|收视|的费)",
}
_PATTERNS: Final = {kind: re.compile(words) for kind, words in _WORDS.items()}
_FLOWING: Final = re.compile(r"流水|薪水|墨水|水电站")  # 水 that is no water bill


def read_bill_type(text: str) -> list[Reading[BillType]]:
    """Every bill named in the text, in order; 水电费 names two."""
    copy = canon(text)
    excluded = [match.span() for match in _FLOWING.finditer(copy.text)]
    found = [
        (*match.span(), kind)
        for kind, pattern in _PATTERNS.items()
        for match in pattern.finditer(copy.text)
        if not any(start <= match.start() < end for start, end in excluded)
    ]
    return [copy.reading(kind, start, end) for start, end, kind in sorted(found)]
