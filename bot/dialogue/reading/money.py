"""Amounts of money as customers write and say them, in fen.

``read_money`` takes only what is marked as money (五百块, ¥500, 两毛五, 全部). ``read_amount`` also takes bare
figures and is for a sentence in which an amount is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from bot.dialogue.reading.amount_context import bare_figure_spans, is_open, taken_spans
from bot.dialogue.reading.canon import Canon, canon, masked, tail_of
from bot.dialogue.reading.currencies import find_foreign_amounts
from bot.dialogue.reading.names import Hit, digits_in_name, find_payees
from bot.dialogue.reading.numerals import DIGITS, Found, Number, scan
from bot.dialogue.reading.types import Reading, covers

AMOUNT_FEN_MAX: Final = 10**15


@dataclass(frozen=True, slots=True)
class Money:
    """An amount a customer named. ``amount_fen`` is None when no certain figure was named.

    ``whole`` is 全部, ``half`` 一半. ``vague`` names no certain figure (几百块, 五百以内, 两个五百, 多转五百);
    ``about_fen`` is then the round figure heard (一千来块: 100000), good for searching only. ``negative``
    (amount_fen below zero), ``too_large`` (above AMOUNT_FEN_MAX), ``too_fine`` (finer than a fen) and ``foreign``
    (the name of another currency than yuan) are to be refused.
    """

    amount_fen: int | None
    whole: bool = False
    half: bool = False
    vague: bool = False
    negative: bool = False
    too_large: bool = False
    too_fine: bool = False
    foreign: str = ""
    about_fen: int | None = None


class _Match(NamedTuple):
    start: int
    end: int
    value: Money
    others: tuple[Money, ...] = ()


_YUAN: Final = re.compile(r"个?(?:块钱|块|元钱|圆钱|元(?![旦月宵件])|圆|大洋|人民币|rmb|cny|软妹币|蚊)")
_YUAN_WITH_MINOR: Final = re.compile(r"块$|元$|圆$")
_TOGETHER: Final = re.compile(
    r"[一1]块(?:儿|去|来|走|玩|吃|看|办|弄|查|做|说|买|算|转|打|付|充|交|缴|还|存|取|给)"
)
_VERB_BEFORE: Final = re.compile(
    r"(?:转账|转帐|转|充值|充|打|汇款|汇|付款|付|还款|还|存|取|发|交|缴|借|给|要|花|扣|收|欠|提|捐|买|是|成|为)(?:了|过|我|他|她)?$"
)
_JIAO: Final = re.compile(r"[角毛](?![落色度形利病衣重])")
_FEN: Final = re.compile(r"分(?![钟行期之部析数享局公店红级开别手类配支清秒])")
_CLOSING: Final = re.compile(r"钱|整|正")
_PREFIX: Final = re.compile(r"(?:人民币|rmb|cny|¥)[: ]?-?$")
_NEGATIVE: Final = re.compile(r"(?:(?<![0-9a-z零一二三四五六七八九十百千万])-|负)$")
_RANGE: Final = re.compile(r"[到至~-]")
_AFTER_BARE_MINOR: Final = re.compile(
    r"[个人天次日号年月张笔期点周岁折级十百千万亿元块%:/.\-~至0-9零一二三四五六七八九半几股份克美港欧英]"
)
_NOT_A_SUM: Final = r"(?!的?(?:交易|明细|账单|账户|账号|卡|记录|流水|收款人|联系人|功能|业务|产品|服务|内容|信息|银行|网点|基金|理财|存款|贷款|时间|人|费用|消息|通知|订单|资料|材料|手续|网贷|东西|问题))"
_WHOLE: Final = re.compile(
    rf"(?:余额|剩下的?|里面?的?|卡里的?|我的)?(?:全部|所有)(?:的?(?:钱|余额|金额|资金|款项|存款))?{_NOT_A_SUM}"
    r"|(?:全都|都|全)(?=给?(?:转|打|汇|取|提|充|还|付|交|划)(?!了?(?:哪|谁|过哪)|[账帐]记录))"
    r"|都(?=给[^一-龥]|给[我你他她张王李老小])|剩下的?(?:钱|都)|有多少(?:转|取|充|还|打|提|汇)多少|一分不剩|一分不留|一毛不剩|清空余额|全额(?!度)|余额全"
)
_HALF: Final = re.compile(r"(?:余额的?|钱的?|里面?的?)?(?:一半|二分之一|半数)(?!时间|天|的?人|以上|左右的人)")
_VAGUE: Final = re.compile(
    r"一些钱|一点儿?钱|点儿?钱|(?<=[转打汇充取存付给还])(?:一些|一点儿?)(?![都也不问])|一些(?=给|$|[，。吧])|若干|几个钱|少量(?:的?钱)?"
    r"|块儿?八毛|一笔钱|一大笔钱?|一小笔钱?"
)


def _fen(value: Decimal, unit_fen: int, decimals: int) -> int | None:
    """Whole fen, or None when the figure is finer than a fen."""
    amount = value * unit_fen
    if decimals > 2 or (unit_fen < 100 and decimals > 1) or amount != amount.to_integral_value():
        return None
    return int(amount)


def _bounded(amount_fen: int, negative: bool) -> Money:
    if negative:
        return Money(-amount_fen, negative=True)
    if amount_fen > AMOUNT_FEN_MAX:
        return Money(amount_fen, too_large=True)
    return Money(amount_fen)


def _money(number: Number, unit_fen: int, minor_fen: int, negative: bool, about: bool) -> Money | None:
    """The amount a number and its minor part make; None when no amount is written like that."""
    if number.value is None or about:
        known = number.about if number.value is None else number.value
        about_fen = None if known is None else _fen(known, unit_fen, 0)
        within = about_fen is not None and about_fen <= AMOUNT_FEN_MAX
        return Money(None, vague=True, about_fen=about_fen if within else None)
    if number.leading_zero:
        return None
    amount = _fen(number.value, unit_fen, number.decimals)
    if amount is None:
        return Money(None, too_fine=True)
    return _bounded(amount + minor_fen, negative)


def _small_number(text: str, at: int) -> tuple[int, int] | None:
    """A digit 0-9 at ``at``: (value, end)."""
    char = text[at : at + 1]
    if char and char in "0123456789":
        return int(char), at + 1
    if char and char in DIGITS and char not in "俩仨幺":
        return DIGITS[char], at + 1
    return None


def _minor(text: str, at: int) -> tuple[int, int]:
    """角 and 分 after 元, written out (五角二分, 五毛, 零五分) or left off (三块二, 三块二五): (fen, end)."""
    if text[at : at + 1] == "半":
        follows = text[at + 1 : at + 2]
        return (50, at + 1) if not follows or follows not in "年月天个小" else (0, at)
    zero = text[at : at + 1] == "零"
    first = _small_number(text, at + 1 if zero else at)
    if first is None:
        return 0, at
    value, end = first
    if match := _JIAO.match(text, end):
        rest, end = _fen_after_jiao(text, match.end())
        return value * 10 + rest, end
    if match := _FEN.match(text, end):
        return value, match.end()
    if not zero and (second := _small_number(text, end)):
        both = value * 10 + second[0]
        clear = not _AFTER_BARE_MINOR.match(text, second[1]) and not _JIAO.match(text, second[1])
        return (both, second[1]) if clear else (0, at)
    if _AFTER_BARE_MINOR.match(text, end):
        return 0, at
    return (value if zero else value * 10), end


def _fen_after_jiao(text: str, at: int) -> tuple[int, int]:
    if text[at : at + 1] == "半" and text[at + 1 : at + 2] not in ("年", "天", "个", "月"):
        return 5, at + 1
    zero = text[at : at + 1] == "零"
    found = _small_number(text, at + 1 if zero else at)
    if found is None:
        return 0, at
    value, end = found
    if match := _FEN.match(text, end):
        return value, match.end()
    return (0, at) if _AFTER_BARE_MINOR.match(text, end) else (value, end)


def _close(text: str, at: int) -> int:
    while match := _CLOSING.match(text, at):
        at = match.end()
    return at


def _unit_after(text: str, found: Found) -> tuple[int, int, int] | None:
    """The currency unit behind a number: (fen per unit, fen of the minor part, end)."""
    if match := _YUAN.match(text, found.end):
        end, minor_fen = match.end(), 0
        if _YUAN_WITH_MINOR.search(match.group()) and not found.number.decimals:
            minor_fen, end = _minor(text, end)
        return 100, minor_fen, _close(text, end)
    if match := _JIAO.match(text, found.end):
        minor_fen, end = _fen_after_jiao(text, match.end())
        return 10, minor_fen, _close(text, end)
    if match := _FEN.match(text, found.end):
        clock = text[found.start - 1 : found.start] == "点"
        alone = not tail_of(text, found.start).strip("零-负") and not text[match.end() :].strip("整钱。，!！")
        if not clock and (text[match.end() : match.end() + 1] == "钱" or alone):
            return 1, 0, _close(text, match.end())
    return None


def _build(text: str, found: Found, unit: tuple[int, int, int], start: int) -> _Match | None:
    unit_fen, minor_fen, end = unit
    negative_sign = _NEGATIVE.search(tail_of(text, start))
    about, about_end = is_open(text, start, end)
    value = _money(found.number, unit_fen, minor_fen, negative_sign is not None, about)
    if value is None:
        return None
    built = (
        _money(other, unit_fen, minor_fen, negative_sign is not None, about) for other in found.alternatives
    )
    others = tuple(other for other in built if other is not None and other != value and not about)
    if minor_fen and not about and _minor_may_be_left_off(text, found, end):
        others = (*others, *_as_if_without_yuan(found.number, minor_fen))
    if negative_sign:
        start -= len(negative_sign.group())
    return _Match(start, about_end, value, others)


def _minor_may_be_left_off(text: str, found: Found, end: int) -> bool:
    """一千块五: 1000.50, or 1500 with the 块 in the wrong place."""
    return text[end - 2] in "块元圆" and text[found.end - 1] in "百千万" and text[end - 1] not in "半"


def _as_if_without_yuan(number: Number, minor_fen: int) -> tuple[Money, ...]:
    value = number.value
    if value is None:
        return ()
    unit = 10 ** (len(f"{value:f}") - len(f"{value:f}".rstrip("0")))
    return (Money(int(value * 100) + minor_fen * unit),) if 100 <= unit <= 10**6 else ()


def _marked(text: str, numbers: Sequence[Found]) -> list[_Match]:
    """Numbers that carry a currency, before or behind them."""
    matches: list[_Match] = []
    at = 0
    for found in numbers:
        if found.start < at:
            continue
        if _TOGETHER.match(text, found.start) and not _VERB_BEFORE.search(tail_of(text, found.start)):
            continue
        prefix = _PREFIX.search(tail_of(text, found.start))
        unit = _unit_after(text, found)
        if unit is None and prefix is None:
            continue
        start = found.start - len(prefix[0]) if prefix and not prefix[0].endswith("-") else found.start
        match = _build(text, found, unit or (100, 0, _close(text, found.end)), start)
        if match is None:
            continue
        if prefix:
            match = match._replace(start=min(found.start - len(prefix.group()), match.start))
        matches.append(match)
        at = match.end
    return matches


def _ranges(text: str, numbers: Sequence[Found], matches: list[_Match]) -> list[_Match]:
    """一百到两百块: the first figure is money as well; 三到五百块 names no certain figure."""
    ends = {found.end: found for found in numbers}
    result: list[_Match] = []
    for match in matches:
        joint = match.start - 1
        first = ends.get(joint) if joint > 0 and _RANGE.match(text, joint) else None
        if first is None or any(other.start <= first.start < other.end for other in matches):
            result.append(match)
            continue
        same_kind = first.number.value is not None and first.number.value >= 10
        value = _money(first.number, 100, 0, False, False) if same_kind else None
        if value is None or match.value.amount_fen is None:
            result.append(_Match(first.start, match.end, Money(None, vague=True)))
        else:
            result += [_Match(first.start, first.end, value), match]
    return result


def _words(text: str) -> list[_Match]:
    """全部, 一半, 一些."""
    found: list[_Match] = []
    for pattern, value in (
        (_WHOLE, Money(None, whole=True)),
        (_HALF, Money(None, half=True)),
        (_VAGUE, Money(None, vague=True)),
    ):
        for match in pattern.finditer(text):
            if match.end() > match.start() and all(
                match.end() <= m.start or m.end <= match.start() for m in found
            ):
                found.append(_Match(match.start(), match.end(), value))
    return found


def _ends_a_range(text: str, number: Found, numbers: Sequence[Found], found: Sequence[_Match]) -> bool:
    """The 五百 of 三到五百, where the 三 is no amount by itself."""
    joint = number.start - 1
    if joint <= 0 or not _RANGE.match(text, joint):
        return False
    return any(first.end == joint for first in numbers) and not any(match.end == joint for match in found)


def _bare(text: str, numbers: Sequence[Found], matches: list[_Match], asked: bool) -> list[_Match]:
    """Figures without a currency, where the words around them allow an amount."""
    allowed = bare_figure_spans(text, numbers, asked)
    found: list[_Match] = []
    for number in numbers:
        span = (number.start, number.end)
        if span not in allowed or any(m.start < number.end and number.start < m.end for m in matches):
            continue
        match = _build(text, number, (100, 0, _close(text, number.end)), number.start)
        if match is not None and _ends_a_range(text, number, numbers, found):
            match = match._replace(value=Money(None, vague=True), others=())
        if match is not None:
            found.append(match)
    return found


def _matches(text: str, hits: Iterable[tuple[int, int]], bare: bool, asked: bool) -> list[_Match]:
    clean = masked(text, [*hits, *taken_spans(text)])
    words = _words(clean)
    clean = masked(clean, [(word.start, word.end) for word in words])
    numbers = scan(clean)
    foreign = [
        _Match(span.start, span.end, Money(None, foreign=span.value.currency.name))
        for span in find_foreign_amounts(clean, numbers)
    ]
    numbers = [n for n in numbers if all(n.end <= m.start or m.end <= n.start for m in foreign)]
    matches = _ranges(clean, numbers, _marked(clean, numbers))
    if bare:
        matches += _bare(clean, numbers, matches, asked)
    return sorted([*words, *foreign, *matches], key=lambda match: match.start)


def _name_spans(hits: Sequence[Hit], text: str) -> list[tuple[int, int]]:
    return [(hit.start, hit.end) for hit in hits if digits_in_name(text[hit.start : hit.end])]


def _with_other_names(
    text: str, hits: Sequence[Hit], matches: list[_Match], bare: bool, asked: bool
) -> list[_Match]:
    """给李四五十块: if the payee is 李四五, the amount is 十块; both are returned."""
    result = list(matches)
    for index, hit in enumerate(hits):
        for other in hit.others:
            spans = _name_spans([*hits[:index], *hits[index + 1 :]], text)
            second = _matches(text, [*spans, (other.start, other.end)], bare, asked)
            for place, match in enumerate(result):
                differing = tuple(
                    item.value
                    for item in second
                    if item.start < match.end
                    and match.start < item.end
                    and item.value not in (match.value, *match.others)
                )
                result[place] = match._replace(others=match.others + differing)
    return result


def _read(text: str, known: Sequence[str], bare: bool, asked: bool) -> list[Reading[Money]]:
    copy: Canon = canon(text)
    hits = find_payees(copy.text, known)
    matches = _matches(copy.text, _name_spans(hits, copy.text), bare, asked)
    if any(hit.others for hit in hits):
        matches = _with_other_names(copy.text, hits, matches, bare, asked)
    return [copy.reading(match.value, match.start, match.end, match.others) for match in matches]


def read_money(text: str, known: Sequence[str] = ()) -> list[Reading[Money]]:
    """Every amount marked as money, in order.

    ``known`` are the customer's payees: the figures inside a name (张三, 李四五) are never read as money.
    """
    return _read(text, known, bare=False, asked=False)


def read_amount(text: str, known: Sequence[str] = (), *, asked: bool = True) -> list[Reading[Money]]:
    """Amounts, marked or bare, in a sentence where one is expected.

    With ``asked`` (the customer was just asked how much) any bare figure counts that is not a phone or card
    number, a tail, a code, a date, a time, an ordinal or a count of other things. Without it a bare figure
    counts only behind a verb of paying (转三千五给张三).
    """
    readings = _read(text, known, bare=True, asked=asked)
    if len(readings) > 1 and asked:
        alone = [reading for reading in readings if covers(text, reading)]
        return alone or readings
    return readings
