"""The common result of every reader: a value, where it stood, and what else it may mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One value found in a customer's text.

    ``start`` and ``end`` are offsets into the text as it was given, end exclusive. Non-empty
    ``alternatives`` mean that the words have more than one reading: ask, never choose.
    """

    value: T
    start: int
    end: int
    text: str
    alternatives: tuple[T, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """True when the customer has to be asked which value was meant."""
        return bool(self.alternatives)


# Longest first inside each length; matched greedily from left to right, never backtracking.
_FILLERS: frozenset[str] = frozenset(
    (
        "嗯 呃 额 啊 呀 吧 呢 哦 噢 喔 唉 诶 哎 欸 哈 嘛 啦 呗 咯 喽 哟 嘿 哇 唔 那个 这个 那 这 个 就 就是 是 是的 "
        "转 转账 转帐 转给 汇 汇款 打 打款 打给 充 充值 交 缴 缴费 付 付款 还 存 取 给 元 块 钱 块钱 元钱 人民币 整 "
        "了 的 得 我 俺 我要 我想 想 要 请 帮 帮我 麻烦 一下 下 谢谢 谢 多谢 好 好的 好吧 对 对的 行 可以 选 选择 "
        "应该 应该是 改成 改为 改 换成 换 成 为 先 再 也 还是 你 您 就行 就好 就可以 吧就 那就 然后 金额 数额 "
        "叫 叫做 名字 姓名 收款人 户名 收款方 他 她 对方 日期 时间 号码 手机号 手机 电话 电话号码 卡号 尾号 身份证 "
        "身份证号 到 把 用 从 呦 嗨 喂 你好 您好 那么 嘞 哒 滴 哩 咧 呐 来 都 每次 这次 一共 总共 总计 "
        # spoken by the impatient and by telephone
        "听好 听好了 我说 我说的是 说的是 也就是"
    ).split()
)
_FILLER_LONGEST = max(map(len, _FILLERS))


def _filler_length(text: str, at: int) -> int:
    char = text[at]
    for length in range(min(_FILLER_LONGEST, len(text) - at), 0, -1):
        if text[at : at + length] in _FILLERS:
            return length
    return 0 if char.isalnum() else 1


def is_filler(text: str) -> bool:
    """True when the text says nothing by itself: fillers, particles, punctuation, blanks or nothing."""
    at = 0
    while at < len(text):
        length = _filler_length(text, at)
        if not length:
            return False
        at += length
    return True


def covers(text: str, *readings: Reading[Any]) -> bool:
    """True when nothing but fillers, particles and punctuation is left outside the readings.

    "嗯那就转五百吧" is covered by the reading of 五百; "不是五百" is not. Without a reading nothing
    is covered.
    """
    if not readings:
        return False
    at = 0
    for reading in sorted(readings, key=lambda item: item.start):
        if reading.start > at and not is_filler(text[at : reading.start]):
            return False
        at = max(at, reading.end)
    return is_filler(text[at:])
