"""Which of the options offered a customer chose: by place (第二个, 最后一个), by name or by part of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from bot.dialogue.reading.canon import canon, tail_of
from bot.dialogue.reading.numerals import DIGITS, parse_integer, scan, to_ascii_digits
from bot.dialogue.reading.types import is_filler

Option: TypeAlias = str | tuple[str, Sequence[str]]

_N: Final = r"(?P<n>[0-9]{1,3}|[一二三四五六七八九十两]{1,3})"
_MEASURE: Final = r"(?:个|张|笔|项|条|位|种|款|家|号|套|行|只|份|次|户|道|步|档|件|所)"
_LAST: Final = re.compile(
    rf"(?:倒数第一|最后|末尾|最末|最下面|最底下)(?:那|这)?(?:一?{_MEASURE}|的)?|末{_MEASURE}"
)
_FROM_END: Final = re.compile(rf"倒数第?{_N}{_MEASURE}?")
_ORDINAL: Final = re.compile(rf"第{_N}{_MEASURE}?")
_FIRST: Final = re.compile(
    rf"(?:头|首|打头|最前面?|最上面)(?:那|这|的)?(?:一{_MEASURE}|{_MEASURE}|的)|前者|第一"
)
_SECOND_OF_TWO: Final = re.compile(r"后者")
_UPPER: Final = re.compile(rf"(?:上面|前面|前|上边|上头)(?:那|这|的)?(?:一)?(?:{_MEASURE}|的)")
_LOWER: Final = re.compile(rf"(?:下面|后面|后|下边|底下|下头)(?:那|这|的)?(?:一)?(?:{_MEASURE}|的)")
_MIDDLE: Final = re.compile(rf"(?:中间|当中)(?:那|这|的)?(?:一)?{_MEASURE}?")
_ALL: Final = re.compile(r"(?:都要|都选|全都要|全要|全部都?要?|都办|都交)$")
_NONE: Final = re.compile(r"都不(?:是|要|选|对)|一个(?:都|也)不|以上都不|没有我要")
_NUMBERED: Final = re.compile(
    rf"(?<![0-9a-z])(?:选择?|要|按|是|就|那)?{_N}(?:号|项|选项)?(?:吧|那个|这个|的|啊|好了|了)?[。.!！]?$"
)
_LETTER: Final = re.compile(r"(?<![a-z])(?:选择?|要|按)?(?P<letter>[a-z])(?:吧|那个|项|的|选项)?[。.!！]?$")
_NEGATED: Final = re.compile(r"(?:(?<!是)不是|不要|不选|别选|不用|别要|不)$")
_PUNCTUATION: Final = re.compile(r"[\s，。、！？；：（）《》“”‘’\"'()\[\],.!?;:·\-~_/]+")
_PART_CHARS_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class _Choice:
    index: int
    start: int
    end: int


def _fold(text: str) -> str:
    """Canonical text without punctuation and with numerals as ASCII: 三个月 and 3个月 become the same."""
    folded = _PUNCTUATION.sub("", canon(text).text)
    parts: list[str] = []
    at = 0
    for found in scan(folded):
        value = found.number.value
        said = folded[found.start : found.end]
        if value is None or found.alternatives:
            said = to_ascii_digits(said) if all(char in DIGITS for char in said) else said
        else:
            plain = found.number.digits and len(said) > 1
            said = (
                to_ascii_digits(said)
                if plain and "." not in said
                else f"{value.normalize():f}"
                if value < 10**20
                else said
            )
        parts += [folded[at : found.start], said]
        at = found.end
    return "".join([*parts, folded[at:]])


def _names(option: Option) -> list[str]:
    label, aliases = (option, ()) if isinstance(option, str) else option
    folded = [_fold(name) for name in (label, *aliases)]
    return [name for name in dict.fromkeys(folded) if name]


def _place(said: str) -> int | None:
    number = parse_integer(said)
    return None if number is None else number - 1


def _by_place(text: str, count: int) -> list[_Choice]:
    """Ordinals and places; the text is canonical."""
    found: list[_Choice] = []

    def add(index: int | None, match: re.Match[str]) -> None:
        free = all(match.end() <= item.start or item.end <= match.start() for item in found)
        if index is not None and 0 <= index < count and free:
            found.append(_Choice(index, *match.span()))

    for match in _FROM_END.finditer(text):
        place = _place(match.group("n"))
        add(None if place is None else count - 1 - place, match)
    for match in _LAST.finditer(text):
        add(count - 1, match)
    for match in _ORDINAL.finditer(text):
        add(_place(match.group("n")), match)
    for pattern, index in ((_FIRST, 0), (_SECOND_OF_TWO, count - 1), (_UPPER, 0), (_LOWER, count - 1)):
        for match in pattern.finditer(text):
            add(index, match)
    if count % 2:
        for match in _MIDDLE.finditer(text):
            add(count // 2, match)
    return found


def _bare_place(text: str, count: int) -> list[int]:
    """A lone figure or letter: 2, 二, 选2, B."""
    match = _NUMBERED.search(text)
    if match and is_filler(text[: match.start()]):
        place = _place(match.group("n"))
        return [place] if place is not None and 0 <= place < count else []
    match = _LETTER.search(text)
    if match and is_filler(text[: match.start()]):
        place = ord(match.group("letter")) - ord("a")
        return [place] if place < count else []
    return []


def _by_name(text: str, names: list[list[str]]) -> list[_Choice]:
    """Options whose label or alias the text holds; a name inside a longer matched name does not count."""
    found: list[_Choice] = []
    for index, own in enumerate(names):
        for name in own:
            at = text.find(name) if len(name) > 1 or text == name else -1
            while at >= 0:
                if not (name[-1].isdigit() and text[at + len(name) : at + len(name) + 1].isdigit()):
                    found.append(_Choice(index, at, at + len(name)))
                at = text.find(name, at + 1)
    return [
        item
        for item in found
        if not any(
            o.start <= item.start and item.end <= o.end and o.end - o.start > item.end - item.start
            for o in found
        )
    ]


def _common_length(text: str, name: str) -> int:
    """Length of the longest run of characters both hold."""
    best, previous = 0, [0] * (len(name) + 1)
    for char in text:
        row = [0] * (len(name) + 1)
        for place, other in enumerate(name, 1):
            if char == other:
                row[place] = previous[place - 1] + 1
                best = max(best, row[place])
        previous = row
    return best


def _by_part(text: str, names: list[list[str]]) -> list[int]:
    """The options sharing the longest part with the text: 电力那个 chooses 国家电网北京电力."""
    said = text[:60]
    scores = [max((_common_length(said, name[:60]) for name in own), default=0) for own in names]
    best = max(scores, default=0)
    return [index for index, score in enumerate(scores) if score == best] if best >= _PART_CHARS_MIN else []


def _kept(text: str, choices: list[_Choice]) -> list[int]:
    return sorted({item.index for item in choices if not _NEGATED.search(tail_of(text, item.start))})


def read_choice(text: str, options: Sequence[Option]) -> list[int]:
    """Indexes of the options the text may choose, in order: one is a choice, several are to be asked about.

    An option is its label, or a label with aliases. A negated option (不要第一个) is never chosen.
    """
    copy, count = canon(text).text, len(options)
    if not count or not copy.strip() or _NONE.search(copy):
        return []
    names = [_names(option) for option in options]
    folded = _fold(text)
    exact = [index for index, own in enumerate(names) if folded in own]
    bare = _bare_place(copy, count)
    if exact and not bare:
        return exact
    if bare:  # a lone figure may be the place or part of a label (三 of 3个月): both are possible
        digits = _fold(copy)
        labelled = [
            i
            for i, own in enumerate(names)
            if any(re.search(rf"(?<![0-9]){re.escape(digits)}(?![0-9])", n) for n in own)
        ]
        return sorted({*bare, *(labelled if digits else [])})
    by_place, by_name = _by_place(copy, count), _by_name(folded, names)
    chosen = {*_kept(copy, by_place), *_kept(folded, by_name)}
    named = {item.index for item in by_name}
    if by_place and by_name and not named & {item.index for item in by_place}:
        return sorted(chosen)
    if chosen:
        return sorted(chosen)
    if by_place or by_name:
        return []
    if _ALL.search(copy):
        return list(range(count))
    return _by_part(_core(folded), names)


def _core(text: str) -> str:
    """The text without leading and trailing words of choosing."""
    head = re.compile(r"^(?:我要|我想|就|那|选择|选|要|用|是|给|请|帮我|嗯|呃|那个|这个)+")
    tail = re.compile(r"(?:吧|的|那个|这个|那张|这张|那笔|那家|好了|就行|就好|啊|呢|了|谢谢)+$")
    return tail.sub("", head.sub("", text))
