"""The typed slots. They read by rule; what a bank must look up is checked by subclasses in `actions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bot.dialogue.by_ear import Named, named
from bot.dialogue.errors import SlotRefused
from bot.dialogue.reading.choices import read_choice
from bot.dialogue.reading.dates import DateRange, Prefer, read_dates
from bot.dialogue.reading.money import Money, read_amount, read_money
from bot.dialogue.reading.names import read_bare_name, read_payees
from bot.dialogue.reading.numbers import read_card_tails, read_longest_digits, read_phones
from bot.dialogue.reading.speech import fen_to_yuan_text, mask_phone
from bot.dialogue.reading.types import Reading
from bot.dialogue.skill import Accepted, Checked, Slot, Turn, WhichOne
from bot.dialogue.state import SLOT_CHOICES_MAX, Frame

RIVALS_MAX = 2
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


def local_date(turn: Turn) -> date:
    """The customer's calendar date (Asia/Shanghai)."""
    return turn.now.astimezone(LOCAL_ZONE).date()


class MoneySlot(Slot[Money]):
    """An amount; value is fen. 全部 and 一半 are left to a subclass that knows the balance."""

    def __init__(self, name: str, label: str, *, question: str, minimum_fen: int = 1, **options: Any) -> None:
        super().__init__(name, label, question=question, **options)
        self.minimum_fen = minimum_fen

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[Money]]:
        """Bare numbers count: a money slot is only read inside a skill that wants an amount."""
        return read_amount(turn.text) or read_money(turn.text)

    async def by_ear(
        self, turn: Turn, frame: Frame, found: list[Reading[Money]], *, may_ask: bool
    ) -> list[Reading[Money]]:
        """An amount that was heard unsurely is asked about, if another one may have been said as well."""
        heard = turn.heard_as
        if heard is None or not may_ask:
            return found
        others = [money for text in heard.others for money in (read_amount(text) or read_money(text))]
        return [
            replace(one, alternatives=self._others(one.value, [other.value for other in others]))
            if not one.alternatives and heard.doubtful(one.start, one.end)
            else one
            for one in found
        ]

    def _others(self, heard: Money, others: Sequence[Money]) -> tuple[Money, ...]:
        """Amounts that could be taken, other than the one that was heard."""
        usable = [
            other
            for other in others
            if other.amount_fen is not None
            and other.amount_fen >= self.minimum_fen
            and other.amount_fen != heard.amount_fen
            and not (other.vague or other.negative or other.foreign or other.too_fine or other.too_large)
        ]
        return tuple({other.amount_fen: other for other in usable}.values())[:RIVALS_MAX]

    async def check(self, turn: Turn, frame: Frame, raw: Money) -> Checked:
        """Refuses foreign, vague, negative, zero and absurd amounts with what to say instead."""
        if raw.whole or raw.half:
            return await self.share(turn, frame, raw)
        if raw.foreign:
            raise SlotRefused(
                f"我这里只按人民币办理，{raw.foreign}的不能直接办。请说一个人民币金额，比如“五百元”。"
            )
        if raw.too_fine:
            raise SlotRefused("金额最多到分，也就是两位小数，请再说一个金额。")
        if raw.vague or raw.amount_fen is None:
            raise SlotRefused("金额我需要一个准数，比如“五百”或“1200.50元”。")
        if raw.negative:
            raise SlotRefused("金额要大于零，请再说一个金额。")
        if raw.amount_fen < self.minimum_fen:
            raise SlotRefused(f"金额至少要{fen_to_yuan_text(self.minimum_fen)}，请再说一个金额。")
        if raw.too_large:
            raise SlotRefused("这个金额太大了，我不能受理，请核对后再说一次。")
        return Accepted(raw.amount_fen, fen_to_yuan_text(raw.amount_fen))

    async def share(self, turn: Turn, frame: Frame, raw: Money) -> Checked:
        """全部 or 一半; refused where there is no balance to take it from."""
        raise SlotRefused("请告诉我具体金额，比如“五百元”。")


class DateSlot(Slot[DateRange]):
    """A day or a range of days; value is [start, end] as ISO dates, both included."""

    def __init__(self, name: str, label: str, *, question: str, past: bool = True, **options: Any) -> None:
        super().__init__(name, label, question=question, **options)
        self.past = past

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[DateRange]]:
        """Every date or range in the text."""
        prefer: Prefer = "past" if self.past else "future"
        return read_dates(turn.text, local_date(turn), prefer=prefer, asked=asked)

    async def check(self, turn: Turn, frame: Frame, raw: DateRange) -> Checked:
        """Refuses days that do not exist."""
        if raw.invalid:
            raise SlotRefused("这个日期不存在，请再说一次，比如“3月5号”或“上个月”。")
        days = [raw.start.isoformat(), raw.end.isoformat()]
        shown = days[0] if raw.start == raw.end else f"{days[0]} 至 {days[1]}"
        return Accepted(days, shown)


class PayeeSlot(Slot[str]):
    """A person's name. `known_names` are matched before any guess, so that half a name is never taken."""

    async def known_names(self, turn: Turn) -> Sequence[str]:
        """Names and nicknames in this customer's payee book."""
        return ()

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """By rule, then by the model's entities, then (if asked) the bare name."""
        found = read_payees(turn.text, known=tuple(await self.known_names(turn)))
        if not found:
            found = [
                Reading(entity.value, entity.start, entity.end, entity.value)
                for entity in turn.heard.entities
                if entity.kind == "payee"
            ]
        if not found and asked:
            bare = read_bare_name(turn.text)
            found = [bare] if bare else []
        return found

    async def by_ear(
        self, turn: Turn, frame: Frame, found: list[Reading[str]], *, may_ask: bool
    ) -> list[Reading[str]]:
        """The book decides: a reading with a name of it comes first, and what sounds like one is one. Where two of its
        names may have been said, it is asked."""
        heard, known = turn.heard_as, tuple(await self.known_names(turn))
        meant = named((turn.text, *heard.others), known) if heard is not None and known else None
        if heard is None or meant is None or not meant.name:
            return found
        rivals = meant.rivals[:RIVALS_MAX] if may_ask else ()
        if meant.text == turn.text:
            at = turn.text.find(meant.name)
            return [
                replace(one, alternatives=(*one.alternatives, *rivals))
                if one.start <= at < one.end and heard.doubtful(one.start, one.end)
                else one
                for one in found
            ]
        if self.name in frame.values and frame.asking != self.name and not found:
            return found  # nobody speaks of another one
        start, end = _span(turn.text, meant, found)
        return [Reading(meant.name, start, end, turn.text[start:end], rivals)]

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Takes the name as it is; banks look it up."""
        return Accepted(raw, raw)


def _span(text: str, meant: Named, found: Sequence[Reading[str]]) -> tuple[int, int]:
    """Where in the text as it was heard the name stands that was meant; nowhere, if nothing of it was heard."""
    if len(meant.text) == len(text):
        at = meant.text.find(meant.name)
        return at, at + len(meant.name)
    return (found[0].start, found[0].end) if found else (0, 0)


class PhoneSlot(Slot[str]):
    """A mobile number of 11 digits."""

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """Spoken or written; when asked for, digits of a wrong length are reported too."""
        found = read_phones(turn.text)
        if not found and asked:
            digits = read_longest_digits(turn.text)
            if len(digits) >= 5:
                return [Reading(digits, 0, len(turn.text), turn.text)]
        return found

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Eleven digits beginning with 1."""
        if len(raw) != 11 or not raw.startswith("1") or raw[1] in "012":
            raise SlotRefused("手机号应该是11位数字，请再说一次。")
        return Accepted(raw, mask_phone(raw))


class ChoiceSlot(Slot[str]):
    """One of a few fixed values: options are (value, label, aliases)."""

    def __init__(
        self,
        name: str,
        label: str,
        *,
        question: str,
        options: Sequence[tuple[str, str, tuple[str, ...]]],
        **rest: Any,
    ) -> None:
        super().__init__(name, label, question=question, quick=[option[1] for option in options], **rest)
        self.options = tuple(options)

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """By label or alias anywhere; by ordinal (第一个, 2) only when asked."""
        if asked:
            hits = read_choice(turn.text, [(label, aliases) for _, label, aliases in self.options])
            return [Reading(self.options[i][0], 0, len(turn.text), turn.text) for i in hits]
        found: list[Reading[str]] = []
        for value, label, aliases in self.options:
            for word in sorted((label, *aliases), key=len, reverse=True):
                at = turn.text.find(word)
                if at >= 0:
                    found.append(Reading(value, at, at + len(word), word))
                    break
        return found

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Always one of the options."""
        return Accepted(raw, next(label for value, label, _ in self.options if value == raw))


class TextSlot(Slot[str]):
    """Free words, taken whole, only when asked for."""

    takes_anything = True
    length_max = 200

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """The whole message."""
        words = turn.text.strip()
        return [Reading(words, 0, len(turn.text), turn.text)] if asked and words else []

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Refuses what is too long to keep."""
        if len(raw) > self.length_max:
            raise SlotRefused(f"内容有点长，请控制在{self.length_max}字以内。")
        return Accepted(raw, raw)


class OwnedSlot(Slot[str]):
    """One of the things this customer has (account, card): matched by tail number, by words, or picked from a list."""

    nothing_text = "您名下没有可以办理这项业务的账户。"

    async def owned(self, turn: Turn, frame: Frame) -> Sequence[tuple[Accepted, str, tuple[str, ...]]]:
        """What there is to choose from: (value and label, last four digits, words that mean it)."""
        raise NotImplementedError

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """尾号 digits, words such as 信用卡, and (if asked) an ordinal; raw is the text that named it."""
        tails = read_card_tails(turn.text)
        if tails:
            return tails
        things = await self.owned(turn, Frame(skill=""))
        found = [
            Reading(word, at, at + len(word), word)
            for _, _, words in things
            for word in words
            if (at := turn.text.find(word)) >= 0
        ]
        if found or not asked:
            return found[:1]
        picks = read_choice(turn.text, [(thing.shown, (tail,)) for thing, tail, _ in things])
        return [Reading(things[i][1], 0, len(turn.text), turn.text) for i in picks[:1]]

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Exactly one match is taken, several are offered, none is refused with the list."""
        things = await self.owned(turn, frame)
        fits = [thing for thing, tail, words in things if raw == tail or raw in words]
        if len(fits) == 1:
            return fits[0]
        if len(fits) > 1:
            return WhichOne(f"您有几个符合的{self.label}，用哪一个？", tuple(fits[:SLOT_CHOICES_MAX]))
        if not things:
            raise SlotRefused(self.nothing_text)
        names = "、".join(thing.shown for thing, _, _ in things[:SLOT_CHOICES_MAX])
        raise SlotRefused(f"没有找到您说的{self.label}。您可以用的有：{names}。")
