"""From what a customer typed to the terms that are compared: folding, mending, fillers, n-grams, synonyms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.dialogue.reading.canon import canon
from bot.knowledge.lexicon import Lexicon

LENGTH_MAX = 160  # characters looked at; what follows in a longer message is not the question
_GRAM_MAX = 3
_PAIRED_MAX = 24  # terms of one text that are paired
Segment = tuple[str, tuple[str, ...]]  # a word and the terms it stands for
_TRADITIONAL = str.maketrans(
    "辦嗎麼麽賬戶險證錯誤額費當實應該說話聽讀寫學認識記錄資訊綁換補領發財產債負權益漲價虧損紅極壓輸請問謝對讓還沒會無處"
    "環響導優惠積獎禮遞遊飯電腦網絡線路頁圖視頻聲紋鎖凍結銷續貸抵帶購樓屬華掛與為來東車馬門間頭長張開關業務員號碼碼",
    "办吗么么账户险证错误额费当实应该说话听读写学认识记录资讯绑换补领发财产债负权益涨价亏损红极压输请问谢对让还没会无处"
    "环响导优惠积奖礼递游饭电脑网络线路页图视频声纹锁冻结销续贷抵带购楼属华挂与为来东车马门间头长张开关业务员号码码",
)
_NOISE = re.compile(r"[^\u3400-\u9fff0-9a-z.]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_AMOUNT = re.compile(r"[零一二两三四五六七八九十百千万亿几点]{1,12}[多来]?(?:块|元|万|千|百|毛|美金|美元)")
_REPEATED = re.compile(r"([\u3400-\u9fffa-z])\1{4,}")  # 哈哈哈哈哈, a key held down
_TAIL = re.compile(r"(?:吗|嘛|么|呢|呀|啊|吧|哈|啦|了|的|不|没|没有|否|咯|喽|哇|哩|撒|噻)+$")
# A bank's name tells of another bank where money goes to it or comes from it, or its machine is used; anywhere else
# (某行的卡年费多少) the customer means the bank that is asked, whatever they call it.
_OWN_BANK = (
    r"(?<![到往给向去至转汇打从把跟将别])(?:{names})(?:的)?"
    r"(?!.{{0,8}}转[过进到来]|转|汇|打|取款机|atm|自助机|柜员机)"
)
_DIGITS = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_NAME_MIN = 2  # characters of a name that nobody knows
_DIGITS_MAX = 8  # longer runs of digits are numbers of cards and accounts, not amounts
AMOUNT = "#amount"
_LOOSE = frozenset("的了吗呢呀啊吧嘛么哦个我你是有在就都也和跟把给得地着过去来上下这那儿里会还要")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one text in three views.

    `grams`: character n-grams; `concepts`: synonyms in their order with the characters they left uncovered;
    `pairs`: synonyms and their unordered pairs, which hold what is asked of what however it is worded.
    """

    plain: str
    grams: tuple[str, ...]
    concepts: tuple[str, ...]
    pairs: tuple[str, ...]

    @property
    def views(self) -> tuple[tuple[str, ...], ...]:
        """The three, in the order of `VIEW_WEIGHTS`."""
        return self.grams, self.concepts, self.pairs


class Reader:
    """Turns texts into terms by one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._terms = {_folded(word): terms for word, terms in lexicon.terms.items()}
        self._longest = max(map(len, self._terms), default=0)
        self._name_ends = {_folded(end): term for end, term in lexicon.name_ends.items()}
        self._nameless = _LOOSE | lexicon.nameless
        self._spellings = {_folded(wrong): _folded(right) for wrong, right in lexicon.spellings.items()}
        self._spelling = _any_of(self._spellings)
        names = (
            "|".join(sorted(map(re.escape, map(_folded, lexicon.banks)), key=lambda n: (-len(n), n)))
            or r"(?!)"
        )
        self._own_bank = re.compile(_OWN_BANK.format(names=names))
        self._filler = _any_of(_folded(filler) for filler in lexicon.fillers)

    def plain(self, text: str) -> str:
        """Folded text without fillers, punctuation and closing particles; may be empty."""
        folded = _folded(text[:LENGTH_MAX])
        folded = self._spelling.sub(lambda match: self._spellings[match.group()], folded)
        folded = self._own_bank.sub("", folded) or folded
        folded = self._filler.sub("", folded) or folded
        return _TAIL.sub("", folded) or folded

    def read(self, text: str) -> Terms:
        """The terms of a text; never raises."""
        plain = self.plain(text)
        segments = tuple(self._named(self.segments(plain)))
        return Terms(plain, tuple(_grams(plain)), tuple(_concepts(plain, segments)), tuple(_pairs(segments)))

    def segments(self, plain: str) -> Iterator[Segment]:
        """The text cut into known words with their terms and characters with none, longest word first."""
        at = 0
        while at < len(plain):
            for size in range(min(self._longest, len(plain) - at), 0, -1):
                word = plain[at : at + size]
                terms = self._terms.get(word)
                if terms is not None:
                    yield word, terms
                    break
            else:
                size = 1
                yield plain[at], ()
            at += size

    def _named(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """曹操贷: characters that mean nothing here make a name with a word that names of that kind end in."""
        strange = 0  # characters in a row that mean nothing
        for word, terms in segments:
            name = self._name_ends.get(word) if strange >= _NAME_MIN else None
            yield word, terms if name is None or name in terms else (name, *terms)
            strange = strange + 1 if not terms and word not in self._nameless else 0


def _concepts(plain: str, segments: tuple[Segment, ...]) -> Iterator[str]:
    if _AMOUNT.search(plain):
        yield AMOUNT
    before = ""
    for word, terms in segments:
        if not terms and word in _LOOSE:
            continue
        names = [f"<{term}>" for term in terms] or [word]
        yield from names
        if before:
            yield f"{before}{names[0]}"
        before = names[0]


def _pairs(segments: tuple[Segment, ...]) -> Iterator[str]:
    names = sorted({term for _, terms in segments for term in terms})[:_PAIRED_MAX]
    for at, name in enumerate(names):
        yield name
        for other in names[at + 1 :]:
            yield f"{name}+{other}"


def _folded(text: str) -> str:
    """Simplified, half-width, lower case, no punctuation; figures and formal numerals (6, 陆) as in 六."""
    bare = _NOISE.sub("", canon(text).text.translate(_TRADITIONAL))
    calm = _REPEATED.sub(r"\1", bare)
    return _NUMBER.sub(lambda match: _in_chinese(match.group()), calm).replace(".", "")


def _grams(plain: str) -> Iterator[str]:
    for size in range(1, _GRAM_MAX + 1):
        for at in range(len(plain) - size + 1):
            yield plain[at : at + size]


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return re.compile("|".join(re.escape(word) for word in ordered) or r"(?!)")


def _in_chinese(digits: str) -> str:
    """24 -> 二十四, 50000 -> 五万, 1.5 -> 一点五; runs too long to be a quantity vanish."""
    whole, _, fraction = digits.partition(".")
    if len(whole) > _DIGITS_MAX:
        return ""
    number = int(whole)
    high, low = divmod(number, 10_000)
    said = f"{_below_ten_thousand(high)}万" if high else ""
    if low or not high:
        said += ("零" if high and low < 1000 else "") + _below_ten_thousand(low)
    return said + ("点" + "".join(_DIGITS[int(digit)] for digit in fraction) if fraction else "")


def _below_ten_thousand(number: int) -> str:
    if number == 0:
        return "零"
    said, zero = "", False
    for power in (3, 2, 1, 0):
        digit = number // 10**power % 10
        if digit:
            said += ("零" if zero and said else "") + _DIGITS[digit] + _UNITS[power]
            zero = False
        else:
            zero = True
    return said.removeprefix("一") if said.startswith("一十") else said
