"""Which figures in a sentence may be an amount, and which belong to something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.dialogue.reading.canon import tail_of
from bot.dialogue.reading.numbers import find_card_numbers, find_card_tails, find_id_numbers, find_phones
from bot.dialogue.reading.numerals import Found

_N: Final = r"(?:[0-9]{1,4}|[零一二三四五六七八九十两廿]{1,4})"
# Dates, times and codes: the digits in them are never an amount.
_TAKEN: Final = re.compile(
    rf"(?:[0-9]{{2,4}}|[零一二三四五六七八九]{{2,4}})年(?:{_N}月份?)?(?:{_N}[号日])?|(?:每|上|下|本|这)?个?{_N}月份?{_N}[号日]?(?![块元万千百毛])"
    rf"|{_N}月份?|(?:每月|每个月|下个?月|上个?月|本月|这个?月|月){_N}[号日]?|{_N}[号日](?!线|[圆币]|元(?![旦宵月]))"
    r"|[0-9]{4}[-/][0-9]{1,2}(?:[-/][0-9]{1,2})?|(?:19|20)[0-9]{2}\.[0-9]{1,2}\.[0-9]{1,2}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
    rf"|(?:上午|下午|早上|晚上|中午|凌晨|今晚|明早)?{_N}点(?:{_N}分(?!钱)|半|钟|一刻|三刻|整)|(?:上午|下午|早上|晚上|中午|凌晨|今晚|明早|今天|明天|后天){_N}点(?:{_N}分?)?|{_N}点(?=[转打汇发充付交还给前后]|之前|以前|以后|左右)"
    r"|(?:周|星期|礼拜)[一二三四五六日天1-7]|(?:20[0-4][0-9])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9块元])"
    rf"|第{_N}(?:个|张|笔|位|条|项)?|百分之[零一二三四五六七八九十百点0-9.]+|{_N}分之{_N}|[0-9.]+%"
    r"|(?:验证码|校验码|动态码|动态口令|口令|密码|编号|单号|订单号?|流水号|户号|代码|工号|分机|邮编)(?:是|为|:)?[0-9a-z零一二三四五六七八九幺]{3,}"
    r"|[0-9]{4,8}(?:是|这个)?(?:验证码|校验码|动态码|口令)"
    r"|(?:统一|唯一|第一|之一|专一|一[下样直定般起键旦切边会律致向度同共方经家]|一下子|双十一|双11|二维|双十二|不三不四|七夕|一带|二手|三方|四川|五险|九江|八达|三亚)(?![十百千万])"
    # Words made of nothing but numerals are words only by themselves: not within 五百一十一, 五万一 or 十一块.
    r"|(?<![零一二三四五六七八九十百千万亿两0-9])(?:五一|十一|六一八|三八|万一)(?![零一二三四五六七八九十百千万亿元块毛角圆])"
)
_COUNTED: Final = re.compile(
    r"个(?!大洋)|次|笔|天|张|人|位|期|年|月|周|星期|礼拜|小时|分钟|秒|岁|号|楼|路|室|栋|层|种|件|家|股|份|克|盎司|积分|折|倍|条|项"
    r"|美元|美金|美刀|刀|欧|港|日元|日币|英镑|澳|加元|韩|卢布|法郎|泰铢|台币|新币|比特|%|季|级|g(?![a-z])|m(?![a-z])|gb|mb|km|兆|度|吨|方|平|公里|米|支|把|只|套|瓶|本(?!人)|名|辆|页|斤|公斤|盒|袋|箱|碗|杯|台|部|桌|间|趟|代|维|旁|开头|结尾|的卡|那张|卡"
    r"|分|厘|成(?!交)|周|[:/]|年|日(?!常)|点[零一二三四五六七八九十0-9半钟]"
)
_VERB: Final = re.compile(
    r"转|充|交|打|汇|付|还|存|取|缴|发|借|买|捐|提|划|投|收|花|扣|改成|改为|换成|金额|额度|超过|低于|不足|大于|小于|满|借我|贷"
)
_LONE_DIGITS: Final = frozenset("零一二三四五六七八九两十幺")
_BEFORE_LONE: Final = re.compile(r"(?:转|充|交|打|汇|付|还|存|取|缴|发|捐|买)(?:个|了|给他|给她)?$")
_AFTER_LONE: Final = re.compile(r"给|到|吧|就|$|[，。,!！]")
_LEAVES_NOTHING: Final = re.compile(r"[嗯呃那就是转充交打汇付还的吧个钱了啊呀呢，。,.!！ \x00要给存取缴]*")

_PAYING: Final = r"(?:转账|转|打|汇|付|充|存|给|发|交|还|取)?(?:了|个)?"
_MANY: Final = r"(?:[二两三四五六七八九十]|[2-9]|[1-9][0-9])"
# 大概五百, 不到一千, 最多一万; 两个五百, 三次五百; 多转五百, 再加五百: no certain sum to be paid.
_OPEN_BEFORE: Final = re.compile(
    r"(?:大概|大约|差不多|(?<![预合节契])约|将近|接近|不到|小)(?:是|有|要|转)?$"
    rf"|(?:最多|至多|顶多|最少|至少|起码|不超过|不高于|不低于|不少于|不多于|超过|高于|低于|多于|少于|大于|小于|不足){_PAYING}$"
    rf"|(?<![0-9零一二三四五六七八九十百千万第]){_MANY}(?:个|次|笔|遍|份|张|倍)的?$"
    rf"|(?<![最至])[多少](?:转账|转|打|汇|付|充|存|给|发|交|还)(?:了|个)?$|(?:再|又)[加减添](?:上|个|掉)?$|(?:加上|减去|减掉|扣掉|扣除|加|减|留下?|剩下?|保留|除了|除去)$"
)
_OPEN_AFTER: Final = re.compile(
    r"钱?(?:左右|上下|的样子|出头|开外|以内|之内|以下|以上|不到|往上|起步|封顶|起(?=$|[，。吧]))"
    rf"|的?(?:[乘×x*÷]|除以)|的?{_MANY}(?:次|笔|遍|份|张)"
)


def is_open(text: str, start: int, end: int) -> tuple[bool, int]:
    """Whether the words around the figure from ``start`` to ``end`` leave the sum open, and where they end."""
    after = _OPEN_AFTER.match(text, end)
    before = _OPEN_BEFORE.search(tail_of(text, start))
    return before is not None or after is not None, after.end() if after else end


def taken_spans(text: str) -> list[tuple[int, int]]:
    """Spans of canonical text that hold phone, card or ID numbers, tails, codes, dates and times."""
    spans = [*find_id_numbers(text), *find_card_numbers(text), *find_phones(text), *find_card_tails(text)]
    unpriced = [(start, end) for start, end, _ in spans if text[end : end + 1] not in ("元", "块")]
    return unpriced + [match.span() for match in _TAKEN.finditer(text)]


def bare_figure_spans(text: str, numbers: Sequence[Found], asked: bool) -> set[tuple[int, int]]:
    """The numbers without a currency that may still be amounts."""
    verb = _VERB.search(text)
    allowed: set[tuple[int, int]] = set()
    for number in numbers:
        if not asked and (verb is None or number.start < verb.end()):
            continue
        if _may_be_amount(text, number):
            allowed.add((number.start, number.end))
    return allowed


def _may_be_amount(text: str, number: Found) -> bool:
    before, after = tail_of(text, number.start), text[number.end : number.end + 16]
    if before[-1:].isascii() and (before[-1:].isalpha() or before[-1:] in tuple("+*#@_./")):
        return False
    if before.endswith(("×", "÷", "乘", "乘以", "除以")):
        return False
    if after[:1].isascii() and (after[:1].isalpha() or after[:1] in tuple("*#@_")):
        return False
    if before.endswith(("$", "€", "£", "第", "周", "尾号")) or _COUNTED.match(after):
        return False
    value = number.number.value
    if number.number.digits and value is not None and value >= 10**11 and value < 10**30:
        return False
    said = text[number.start : number.end]
    if len(said) == 1 and said in _LONE_DIGITS:
        alone = _LEAVES_NOTHING.fullmatch(before) and _LEAVES_NOTHING.fullmatch(after)
        return bool(alone) or bool(_BEFORE_LONE.search(before) and _AFTER_LONE.match(after))
    return True
