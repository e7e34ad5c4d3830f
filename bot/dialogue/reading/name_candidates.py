"""What may be a person's name at one place of a text, and where it may end.

A name is only believed where it ends at something that can follow a name (给王小明|打三百). That is what
keeps half a name, or a name with half an amount, from becoming the payee.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from bot.dialogue.reading.banks import bank_at
from bot.dialogue.reading.canon import MASK, is_han
from bot.dialogue.reading.name_lexicon import (
    GIVEN,
    KIN,
    KIN_SHORT,
    STOP_WORDS,
    SURNAMES,
    SURNAMES_COMMON,
    SURNAMES_COMPOUND,
    TITLES_LONG,
    TITLES_SHORT,
)
from bot.dialogue.reading.numerals import number_at

# Never part of a given name.
_HARD: Final = frozenset(
    "的了吗吧呢啊呀哈嘛啦哦呗嗯呃额哎诶么这那哪谁她它他我你您们请谢把给俾从是不没都跟及各每转打付缴拨退账个块些什怎吃喝说被错"
)
# Seldom part of one: believed only where no reading without it exists.
_SOFT: Final = frozenset(
    "汇还寄借钱卡号元角毛分笔次多少几想要能会该应让对过去来里上下和先再也就在用到未有存充送交收买加全帮发划换改为收补报结查看做"
)
_FOLLOWS: Final = re.compile(
    r"转|汇|打(?!印|折)|付|还|发|交|缴|充|存|寄|送|划|拨|退|借|补|报销|买|换|改|删|添|加(?!油)|查|看"
    r"|的|吧|了|啊|呀|呢|哈|嘛|吗|啦|哦|呗|么|嗯|呃|额|哎|诶|那|这|他|她|就|再|也|先|请|谢|麻烦|帮|我|你|您"
    r"|账户|账号|账上|账里|卡|户头|银行|微信|支付宝|手机|电话|尾号|名下|工资|红包|房租|租金|生活费|货款|学费|钱|话费"
    r"|零花|水费|电费|物业|彩礼|份子|礼金|贷款|欠款|定金|押金|报酬|劳务|奖金|流量|压岁|医药费|伙食费"
    r"|全部|所有|一半|一些|一点|一下|一笔|一共|都|人民币|¥|和|跟|与|及|还有|以及|以后|、|各|每"
    r"|今天|明天|后天|昨天|今晚|明早|现在|马上|立刻|立即|尽快|上午|下午|晚上|早上|中午|下周|下个?月|上周|上个?月|本月|这个?月"
    r"|月底|月初|年底|周末|最近|去年|今年|刚才|是|不|错|对|收|从|用|在|到|过去|过来|里|家|本人|行|可以|好|能|要|需|因|作|当|把"
    r"|做|名|通过|按|成功|失败|没|未|多|大概|大约|差不多|吃|看病|上学|过节|过年|过生日|生日|住院|应急|救急|共|,|\."
)
_DOUBLE_VERB: Final = re.compile(r"[发汇存交充划还收][转打付汇充寄]")
_DOTTED_PART: Final = f"[^\\W0-9a-z_{''.join(sorted(_HARD - set('阿哈那么提尔')))}还充汇交]"
_DOTTED: Final = re.compile(f"{_DOTTED_PART}{{2,8}}(?:[·•・‧]{_DOTTED_PART}{{1,10}}){{1,3}}")
_POSSESSIVE: Final = re.compile(r"(?:我们家|我们|咱们|我家|俺家|咱家|我|俺|咱|他|她|你)(的)?")
_NICK_NOT_AFTER_SMALL: Final = frozenset(
    "区店卖额号时组学企孩朋友姐妹弟伙程微费票数心事型米钱灵贷车商白编规写气便声睡看视"
)
_RANKS: Final = frozenset("大二三四五六七八九幺")
_WEEKDAY: Final = re.compile(r"周[一二三四五六日天末]")


class Candidate(NamedTuple):
    """A name from ``start`` to ``end``; the span to report may be wider (房东王建国, 张三先生)."""

    start: int
    end: int
    span_end: int
    soft: bool = False
    drop: tuple[int, int] | None = None  # characters of no weight: the 的 of 我的妈妈


def ends_here(text: str, at: int) -> bool:
    """True when a name may end before ``at``: the text stops, or goes on with what can follow a name."""
    if at >= len(text):
        return True
    char = text[at]
    if char == MASK or not (is_han(char) or char.isalnum()):
        return True
    if char.isascii() or bank_at(text, at) is not None:
        return True
    if _title_at(text, at):
        return True
    if _DOUBLE_VERB.match(text, at):
        return False
    if char in "百千万亿":
        return False
    return _FOLLOWS.match(text, at) is not None or _amount_starts(text, at)


def _amount_starts(text: str, at: int) -> bool:
    """True for a figure one could pay; a lone digit (the 四 of 李四各一百) is more likely part of a name."""
    found = number_at(text, at)
    if found is None:
        return False
    behind = text[found.end : found.end + 1]
    return found.end - at > 1 or not behind or behind in "块元毛角十个笔，。,"


def _title_at(text: str, at: int) -> int:
    """End of an honorific beginning here (先生, 老师, 总), or 0."""
    for title in TITLES_LONG:
        if text.startswith(title, at):
            return at + len(title)
    return 0


def _stopped(text: str, at: int) -> bool:
    return (
        any(text.startswith(word, at) for word in STOP_WORDS)
        or _WEEKDAY.match(text, at) is not None
        or bank_at(text, at) is not None
    )


def _kin(text: str, at: int) -> Candidate | None:
    """我妈, 我老婆, 房东, 妹妹, 二叔; with a name behind (房东王建国) the name is the payee."""
    own = _POSSESSIVE.match(text, at)
    begin = own.end() if own else at
    end = next((begin + len(word) for word in KIN if text.startswith(word, begin)), 0)
    if not end and text[begin : begin + 1] and text[begin] in KIN_SHORT:
        end = begin + 1
    if not end:
        return None
    if named := _single_bounded(text, end):
        return Candidate(end, named.end, named.span_end)
    if not ends_here(text, end) or _owns_something_else(text, end):
        return None
    drop = own.span(1) if own and own.group(1) else None
    return Candidate(at, end, end, drop=drop)


def _owns_something_else(text: str, at: int) -> bool:
    """给我爸的公司转: the payee is the company, not the father."""
    if text[at : at + 1] != "的" or at + 1 >= len(text):
        return False
    rest = text[at + 1 :]
    owned = re.match(
        r"卡|账|户|手机|电话|号|钱|工资|微信|支付宝|那|这|尾号|时候|话|转|汇|款|生活费|房租|零花|储蓄|信用|[0-9]",
        rest,
    )
    return (
        owned is None
        and is_han(rest[0])
        and bank_at(text, at + 1) is None
        and number_at(text, at + 1) is None
    )


def _nickname(text: str, at: int) -> list[Candidate]:
    """老王, 小李, 阿强, 大刘, 老三."""
    head, body = text[at : at + 1], text[at + 1 : at + 2]
    if not body or not is_han(body) or body in _HARD:
        return []
    fits = {
        "老": body in SURNAMES or body in _RANKS,
        "小": (body in SURNAMES or body in GIVEN) and body not in _NICK_NOT_AFTER_SMALL,
        "阿": body not in "里拉",
        "大": body in SURNAMES_COMMON,
    }
    if not fits.get(head, False):
        return []
    ends = [at + 2] if ends_here(text, at + 2) else []
    third = text[at + 2 : at + 3]
    if not ends and third and is_han(third) and third not in _HARD and ends_here(text, at + 3):
        ends = [at + 3]
    return [Candidate(at, end, end) for end in ends]


def _titled(text: str, at: int) -> Candidate | None:
    """王总, 李老师, 张阿姨, 强哥, 欧阳老师."""
    lengths = [2] if text[at : at + 2] in SURNAMES_COMPOUND else []
    if text[at : at + 1] in "小老大" and text[at + 1 : at + 2] in SURNAMES:
        lengths.append(2)
    if text[at] in SURNAMES or text[at] in GIVEN:
        lengths.append(1)
    for length in lengths:
        behind = at + length
        end = _title_at(text, behind)
        if not end and text[behind : behind + 1] and text[behind] in TITLES_SHORT:
            end = behind + 1
        if end and ends_here(text, end) and not (text[at] in _HARD or (text[at] in "大小老" and length == 1)):
            return Candidate(at, end, end)
    return None


def _with_title(text: str, start: int, end: int, soft: bool) -> Candidate:
    title_end = _title_at(text, end)
    span_end = title_end if title_end and ends_here(text, title_end) else end
    return Candidate(start, end, span_end, soft)


def _surnamed(text: str, at: int) -> list[Candidate]:
    """Surname and given name, every length that ends where a name may end."""
    if _stopped(text, at):
        return []
    compound = text[at : at + 2] in SURNAMES_COMPOUND
    if not compound and text[at] not in SURNAMES:
        return []
    found: list[Candidate] = []
    for length in (2, 3, 4) if compound else (2, 3):
        end = at + length
        given = text[at + (2 if compound else 1) : end]
        if len(text) < end or any(not is_han(char) or char in _HARD for char in given):
            break
        half = compound and length == 2 and text[end : end + 1] == "不"  # 东方不败
        if ends_here(text, end) and not half and not _owns_something_else(text, end):
            found.append(_with_title(text, at, end, any(char in _SOFT for char in given)))
    if found and compound and text[found[-1].end : found[-1].end + 1] == "及":
        end = found[-1].end + 1  # 宇文化及转五百, where no second name follows the 及
        found += [Candidate(at, end, end)] if text[end : end + 1] in tuple("转打汇付充") else []
    if found or compound:
        return found
    double = text[at : at + 4]  # 陈李小红: the surnames of both parents
    if (
        len(double) == 4
        and double[1] in SURNAMES_COMMON
        and all(is_han(c) and c not in _HARD for c in double)
    ):
        return [_with_title(text, at, at + 4, False)] if ends_here(text, at + 4) else []
    return []


def _single_bounded(text: str, at: int) -> Candidate | None:
    """The one certain name beginning at ``at``, or None."""
    if at >= len(text):
        return None
    if titled := _titled(text, at):
        return titled
    names = [item for item in _surnamed(text, at) if not item.soft] or _nickname(text, at)
    return names[0] if len(names) == 1 else None


def _listed(text: str, at: int) -> list[Candidate]:
    """张三李四各一百: a name that ends where the next name begins."""
    if _stopped(text, at) or text[at] not in SURNAMES:
        return []
    return [
        Candidate(at, end, end)
        for end in (at + 2, at + 3)
        if end < len(text)
        and not any(c in _HARD or c in _SOFT for c in text[at + 1 : end])
        and _single_bounded(text, end)
    ]


def given_only(text: str, at: int) -> list[Candidate]:
    """给建国转: a given name without surname, believed only directly before a verb of paying."""
    for length in (2, 3):
        said = text[at : at + length]
        verb = text[at + length : at + length + 1]
        if len(said) == length and all(char in GIVEN for char in said) and verb and verb in "转打汇付充":
            return [] if _stopped(text, at) else [Candidate(at, at + length, at + length)]
    return []


def candidates_at(text: str, at: int) -> list[Candidate]:
    """Every reading of a person beginning at ``at``, the likeliest first; empty when there is none."""
    if at >= len(text) or not is_han(text[at]):
        return []
    if dotted := _DOTTED.match(text, at):
        return [Candidate(at, dotted.end(), dotted.end())]
    if kin := _kin(text, at):
        return [kin]
    if titled := _titled(text, at):
        return [titled]
    if nick := _nickname(text, at):
        return nick
    named = _surnamed(text, at)
    plain = [item for item in named if not item.soft]
    return plain or named or _listed(text, at)


def open_ended(text: str, at: int) -> list[Candidate]:
    """A common surname whose name has no clear end: every length, so that the customer is asked."""
    if at >= len(text) or text[at] not in SURNAMES_COMMON or _stopped(text, at):
        return []
    found: list[Candidate] = []
    for end in (at + 2, at + 3):
        given = text[at + 1 : end]
        whole = len(given) == end - at - 1 and text[end : end + 1] not in tuple("块元毛角百千万亿")
        if whole and all(is_han(char) and char not in _HARD for char in given):
            found.append(Candidate(at, end, end))
    return found[::-1] if len(found) == 2 else []
