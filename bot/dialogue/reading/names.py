"""Payees: the person a customer wants to pay, by name, nickname, title or kinship.

给张三转账, 转给欧阳小雨, 收款人是李四, 打我妈卡上. A customer's own payee book (``known``) outranks every
guess. Where a name could end in two places (给李四五十块) both names are returned: ask.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.dialogue.reading.canon import Canon, canon, is_han, tail_of
from bot.dialogue.reading.name_candidates import Candidate, candidates_at, ends_here, given_only, open_ended
from bot.dialogue.reading.name_lexicon import (
    GIVEN,
    STOP_WORDS,
    SURNAMES,
    SURNAMES_COMMON,
    SURNAMES_COMPOUND,
    TITLES_LONG,
)
from bot.dialogue.reading.numerals import DIGITS, number_at
from bot.dialogue.reading.types import Reading

NAME_CHARS_MAX: Final = 20

_CUE: Final = re.compile(
    r"(?P<strong>给|俾|收款人|收款方|收款账户名|户名|账户名|姓名|名字|名叫|联系人|持卡人|对方)"
    r"|(?P<loose>向|往|替|帮|叫做|叫)"
    r"|(?P<direct>(?:转|打|汇|付|存|划|充|还)(?:账|款|钱|过去|回)?(?:到|至|进|入|去)?)"
    r"|(?P<weak>应该是|改成|改为|换成|换为|就是|是)"
)
_AFTER_CUE: Final = re.compile(
    r"(?:嗯|呃|额|那个|这个|一个叫|叫|是|为|姓名|名字|改成|换成|应该是|写|[:,，“”\"'《「『【\s])*"
)
_SELF_BEFORE: Final = re.compile(r"(?:我|我的名字|本人|我姓)$")
_NEGATED: Final = re.compile(
    r"(?:(?<!是)不是|别|不要|不用|不想|不能|取消|(?<![要是不])不)(?:再|是)?"
    r"(?:转账|转帐|转|打钱|打款|打|汇款|汇|付款|付|还|发)?(?:给|到|成|为)?$"
)
_PAYS: Final = re.compile(r"[转汇打付还充发交缴存借寄钱块元款¥]|红包|[0-9]")
_LIST: Final = re.compile(r"(?:还有|以及|和|跟|与|及|、|,|，)+")
_VERB_CUE_BEFORE: Final = re.compile(r"[转打汇付还]$")
_SELF: Final = re.compile(
    r"(?:给|帮|为|替)?(?:我自己|自己|本人|我本人|我的(?:手机|号码|手机号)|本机|这个号|我这个号)|给我(?=充|转|交|存|$)"
)
_LEAD: Final = [
    "嗯",
    "呃",
    "额",
    "哦",
    "哎",
    "诶",
    "那个",
    "这个",
    "就是",
    "是",
    "那就",
    "那",
    "就",
    "转账给",
    "转帐给",
    "转给",
    "打给",
    "汇给",
    "付给",
    "给",
    "叫做",
    "叫",
    "名字叫",
    "名字是",
    "名字",
    "姓名",
    "收款人",
    "户名",
    "我要转给",
    "我要",
    "我想",
    "他叫",
    "她叫",
    "他",
    "她",
    "对方叫",
    "对方",
    "应该是",
    "应该",
    "不对",
    "改成",
    "换成",
    "选",
    "哦对",
    "啊",
    "对",
    "好",
    "好的",
    "请",
    "帮我",
    "我说的是",
    "我说",
    "还是",
    "再",
    "：",
    ":",
    "，",
    ",",
    "。",
    "、",
    "“",
    '"',
    "的",
    "一个叫",
    "一个",
]
_TRAIL: Final = [
    "吧",
    "啊",
    "呀",
    "呢",
    "的",
    "了",
    "哈",
    "嘛",
    "啦",
    "哦",
    "就行",
    "就好",
    "就可以",
    "就行了",
    "谢谢",
    "转",
    "转账",
    "收",
    "收款",
    "的卡",
    "的账户",
    "那",
    "那边",
    "这个人",
    "那个人",
    "。",
    "！",
    "!",
    ".",
    "，",
    ",",
    "？",
    "?",
    "~",
    "”",
    '"',
    "嗯",
    "先生",
    "女士",
    "小姐",
    "同学",
    "对",
    "没错",
    "好了",
    "好吧",
]
_REFUSE: Final = frozenset(
    [
        "取消",
        "算了",
        "没有",
        "不要",
        "不用",
        "不是",
        "退出",
        "返回",
        "人工",
        "余额",
        "转账",
        "查询",
        "明细",
        "充值",
        "缴费",
        "多少",
        "什么",
        "怎么",
        "你好",
        "您好",
        "谢谢",
        "再见",
        "方法",
        "高兴",
        "安心",
        "花钱",
        "关于",
        "何意",
        "和谁",
        "白痴",
        "常见",
        "全都",
        "别管",
        "平安",
        "成功",
        "安全",
        "快乐",
        "发达",
        "健康",
        "美好",
        "金额",
        "清楚",
        "明白",
        "贵金",
        "黄金",
        "海外",
        "山东",
        "江苏",
        "安徽",
        "明天",
        "今天",
        "昨天",
        "后天",
        "上海",
        "北京",
        "天津",
        "重庆",
        "广州",
        "深圳",
        "杭州",
        "成都",
        "武汉",
        "南京",
        "西安",
        "工资",
        "生日",
        "安静",
        "全天",
        "app",
        "atm",
        "ok",
        "okay",
        "no",
        "yes",
        "hi",
        "hello",
        "bye",
        "pin",
        "sim",
        "vip",
        "etc",
    ]
)


class Hit(NamedTuple):
    """A payee in canonical offsets: the span reported, the name's own span and the other names possible."""

    start: int
    end: int
    name: Candidate
    others: tuple[Candidate, ...] = ()


def _known_names(text: str, known: Sequence[str]) -> list[tuple[int, int]]:
    """Where the customer's known payees stand, longest first, never overlapping."""
    spans: list[tuple[int, int]] = []
    folded = sorted({canon(name).text for name in known if len(name.strip()) >= 2}, key=len, reverse=True)
    for name in folded:
        at = text.find(name) if len(name) >= 2 else -1
        while at >= 0:
            if all(at + len(name) <= start or end <= at for start, end in spans):
                spans.append((at, at + len(name)))
            at = text.find(name, at + 1)
    return sorted(spans)


def _reads_as_amount(text: str, name: Candidate) -> bool:
    """张一百: what follows the surname is a figure."""
    found = number_at(text, name.start + 1)
    said = text[name.start + 1 : name.end]
    return (
        found is not None
        and found.end == name.end
        and len(said) > 1
        and any(char in "十百千万亿" for char in said)
    )


def _hit(text: str, cue_start: int, names: list[Candidate]) -> Hit:
    first, others = names[0], names[1:]
    if text[first.start] in SURNAMES and _reads_as_amount(text, first):
        others = [*others, Candidate(first.start, first.start + 1, first.start + 1)]
    longer = Candidate(first.start, first.end + 1, first.end + 1, soft=True)
    verb_before = _VERB_CUE_BEFORE.search(tail_of(text, cue_start))
    sends = verb_before and first.end - first.start == 2 and text[first.end : first.end + 1] == "发"
    if sends and number_at(text, first.end + 1) is not None:  # 转给李明发五百: 发 can hardly be a second verb
        return Hit(first.start, longer.end, longer, (first,))
    return Hit(first.start, first.span_end, first, tuple(others))


def _names_after(text: str, at: int, kind: str) -> list[Candidate]:
    """The names a cue of this kind is trusted to introduce at ``at``."""
    names = candidates_at(text, at)
    if kind in ("direct", "weak") and names:
        surname = text[names[0].start]
        kin = names[0].start > at or surname not in SURNAMES
        trusted = kin or surname in SURNAMES_COMMON or text[at : at + 2] in SURNAMES_COMPOUND
        return names if trusted and not (kind == "weak" and names[0].soft) else []
    if names or kind in ("direct", "weak"):
        return names
    if kind == "strong" and _PAYS.search(text):
        return given_only(text, at) or open_ended(text, at)
    return []


def _cue_hits(text: str) -> list[Hit]:
    hits: list[Hit] = []
    for cue in _CUE.finditer(text):
        kind = cue.lastgroup or "weak"
        before = tail_of(text, cue.start())
        if kind in ("loose", "weak") and _SELF_BEFORE.search(before):
            continue
        after = _AFTER_CUE.match(text, cue.end())
        at = after.end() if after else cue.end()
        if _NEGATED.search(tail_of(text, at)) or (hits and at < hits[-1].end):
            continue
        names = _names_after(text, at, kind)
        while names:
            hits.append(_hit(text, cue.start(), names))
            more = _LIST.match(text, hits[-1].end)
            at = more.end() if more else hits[-1].end
            names = candidates_at(text, at) if more or names[0].end == names[0].span_end else []
            if not more and names and (text[at] not in SURNAMES or names[0].soft):
                names = []
    return hits


def _merge_known(
    text: str, guesses: list[Hit], spans: list[tuple[int, int]], known: frozenset[str]
) -> list[Hit]:
    """Known names win; one that is the beginning of a longer name, or holds another known one, is asked about."""
    hits: list[Hit] = []
    taken: list[Hit] = []
    for start, end in spans:
        if _NEGATED.search(tail_of(text, start)):
            continue
        name = Candidate(start, end, end)
        clashing = [hit for hit in guesses if hit.start < end and start < hit.end]
        taken += clashing
        longer = [hit.name for hit in clashing if hit.name.start <= start and hit.name.end > end]
        shorter = [hit.name for hit in clashing if hit.name.start == start and hit.name.end < end]
        if longer and not ends_here(text, end):
            hits.append(Hit(longer[0].start, longer[0].end, longer[0], (name,)))
        elif shorter and (
            not ends_here(text, end) or text[shorter[0].start : shorter[0].end] in known
        ):  # 给李四五十块, with both 李四 and 李四五 in the book
            hits.append(Hit(shorter[0].start, shorter[0].end, shorter[0], (name,)))
        else:
            hits.append(
                Hit(min([start, *(h.start for h in clashing)]), max([end, *(h.end for h in clashing)]), name)
            )
    hits += [hit for hit in guesses if hit not in taken]
    return sorted(hits, key=lambda hit: hit.start)


def find_payees(text: str, known: Sequence[str] = ()) -> list[Hit]:
    """Payees in canonical text, in order."""
    hits = _cue_hits(text)
    spans = _known_names(text, known)
    folded = frozenset(canon(name).text for name in known)
    return _merge_known(text, hits, spans, folded) if spans else hits


def _said(copy: Canon, name: Candidate) -> str:
    if name.drop is None:
        return copy.said(name.start, name.end)
    return copy.said(name.start, name.drop[0]) + copy.said(name.drop[1], name.end)


def _reading(copy: Canon, hit: Hit) -> Reading[str]:
    others = tuple(dict.fromkeys(_said(copy, other) for other in hit.others))
    return copy.reading(_said(copy, hit.name), hit.start, hit.end, others)


def read_payees(text: str, known: Sequence[str] = ()) -> list[Reading[str]]:
    """Every person the text names as one to be paid, in order.

    ``known`` are names from the customer's payee book: they are found anywhere and outrank guesses. The
    customer (我, 自己) is never a payee, nor is a person named only to be excluded (不是张三).
    """
    copy = canon(text)
    return [_reading(copy, hit) for hit in find_payees(copy.text, known)]


def mentions_self(text: str) -> bool:
    """True when the customer speaks of themselves as the one to receive (给自己充, 我本人)."""
    return _SELF.search(canon(text).text) is not None


def _strip_lead(text: str) -> int:
    at = 0
    while word := max((lead for lead in _LEAD if text.startswith(lead, at)), key=len, default=""):
        at += len(word)
    return at


def _strip_trail(text: str, start: int) -> int:
    end = len(text)
    while word := max((trail for trail in _TRAIL if text.endswith(trail, start, end)), key=len, default=""):
        if end - len(word) - start < 1:
            break
        end -= len(word)
    return end


def _bare_candidates(text: str) -> list[Candidate]:
    """Names for an answer that is nothing but a name."""
    start = _strip_lead(text)
    end = _strip_trail(text, start)
    core = text[start:end]
    if core in _REFUSE or not core or any(core.startswith(word) for word in STOP_WORDS):
        return []
    if re.fullmatch(r"[a-z][a-z .'-]{0,38}[a-z]", core):
        return [Candidate(start, end, end)]
    whole = [item for item in candidates_at(core, 0) if item.span_end == len(core)]
    if not whole:
        return candidates_at(text, start)
    shift = [
        item._replace(start=item.start + start, end=item.end + start, span_end=item.span_end + start)
        for item in whole
    ]
    return [
        item._replace(drop=(item.drop[0] + start, item.drop[1] + start)) if item.drop else item
        for item in shift
    ]


def _given_answer(text: str) -> list[Candidate]:
    start = _strip_lead(text)
    end = _strip_trail(text, start)
    core = text[start:end]
    usual = 2 <= len(core) <= 3 and all(char in GIVEN for char in core)
    return [Candidate(start, end, end)] if usual and core not in _REFUSE and core not in STOP_WORDS else []


def read_bare_name(text: str, known: Sequence[str] = ()) -> Reading[str] | None:
    """The name in an answer to "to whom?" (张三 / 是李四 / 转给我妈 / 叫王小明吧), or None when it holds none."""
    copy = canon(text)
    if len(copy.text) > 60 or _NEGATED.search(copy.text[: _strip_lead(copy.text)]):
        return None
    payees = find_payees(copy.text, known)
    if len(payees) == 1 or (payees and _known_names(copy.text, known)):
        return _reading(copy, payees[0])
    names = _bare_candidates(copy.text) or _given_answer(copy.text)
    if not names or names[0].end - names[0].start > NAME_CHARS_MAX:
        return None
    return _reading(copy, _hit(copy.text, 0, names))


def digits_in_name(name: str) -> bool:
    """True when the name holds characters that are figures too (张三, 王五)."""
    return any(char in DIGITS or char in "十百千万" for char in name)


def looks_like_person(name: str) -> bool:
    """True for a plausible personal name on its own: used before one is stored in the payee book."""
    said = canon(name).text
    if not 2 <= len(said) <= NAME_CHARS_MAX or any(said.endswith(title) for title in TITLES_LONG):
        return False
    return all(is_han(char) or char in "·•" for char in said) and said not in STOP_WORDS
