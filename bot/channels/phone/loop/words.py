"""What a caller's words mean for the flow of the call, before anybody asks what they mean for the bank."""

from __future__ import annotations

import re
from enum import Enum

from bot.dialogue.commands import Command, recognise_by_rule
from bot.dialogue.reading.numerals import to_ascii_digits

_BACK_CHANNEL = re.compile(r"(嗯|唔|啊|哦|噢|喔|呃|额|哎|唉|欸|诶|哈|呀|哼|咳|mm|hm)+")
_ACKNOWLEDGEMENT = re.compile(
    r"(嗯|啊|哦|对的?|是的?|好的?|行吧?|可以|没错|知道了?|明白了?|清楚了?|了解|收到|ok|okay|确认|确定|没问题)+"
)
_PLEASE = r"(请|麻烦)?(你|您)?(能不能|可不可以|可以)?再?[说讲念]?得?"
_A_LITTLE = r"(一?点儿?|一些|些)?[说讲念]?"
_SLOWER = re.compile(f"{_PLEASE}(慢|太快){_A_LITTLE}了?")
_FASTER = re.compile(f"{_PLEASE}(快|太慢){_A_LITTLE}了?")
_AGAIN = re.compile(r"(你|您)?(刚才|刚刚)?(说|讲)?(什么|啥)|没听清楚?|没听到|没听见|听不清楚?|再说一遍好吗")
_YES = re.compile(r"确认|确定|同意|没错|没问题|可以|办吧|转吧|^(好|行|对|是|嗯|要|得|中|成)")
_NO = re.compile(r"不|别|改|错|等|取消|换|多少|吗|怎么|什么")
_MOBILE_NUMBER = re.compile(r"1[3-9]\d{9}")
_DIGITS_ONLY = re.compile(r"([零一二三四五六七八九幺两0-9]+)([xX叉]?)")


class Wish(Enum):
    """What concerns the line itself."""

    REPEAT = "repeat"
    SLOWER = "slower"
    FASTER = "faster"


def is_back_channel(text: str) -> bool:
    """A sound of listening or thinking (嗯, 呃): it asks for nothing and answers nothing while we speak."""
    bare = _bare(text)
    return not bare or _BACK_CHANNEL.fullmatch(bare) is not None


def is_acknowledgement(text: str) -> bool:
    """A yes, or a sign of listening: which of the two, only what was heard before can tell."""
    bare = _bare(text)
    return _ACKNOWLEDGEMENT.fullmatch(bare) is not None or recognise_by_rule(text) is Command.AFFIRM


def sounds_like_yes(text: str) -> bool:
    """Wider than an acknowledgement: anything that might be taken for a confirmation."""
    bare = _bare(text)
    return is_acknowledgement(text) or (_YES.search(bare) is not None and _NO.search(bare) is None)


def spoken_digits(text: str) -> str:
    """A text of nothing but digits, said or written, as ASCII digits, with X where it ends in one; otherwise ""."""
    match = _DIGITS_ONLY.fullmatch(_bare(text))
    return to_ascii_digits(match[1]) + ("X" if match[2] else "") if match else ""


def is_mobile_number(digits: str) -> bool:
    """A mobile number of the country: no code is that long."""
    return _MOBILE_NUMBER.fullmatch(digits) is not None


def wish_of(text: str) -> Wish | None:
    """A wish about how we speak, or None."""
    bare = _bare(text)
    if _SLOWER.fullmatch(bare):
        return Wish.SLOWER
    if _FASTER.fullmatch(bare):
        return Wish.FASTER
    if _AGAIN.fullmatch(bare) or recognise_by_rule(text) is Command.REPEAT:
        return Wish.REPEAT
    return None


def _bare(text: str) -> str:
    return re.sub(r"[\s，。！？、,.!?~…]+", "", text.lower())
