"""Finding transactions: 上个月的水电费, 国庆花了多少, 工资到了没; and what money goes for: 消费占比."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from actions.services import bank_of, customer_of, refusals
from banking_core.clock import BANK_ZONE
from banking_core.money_text import fen_to_signed_text, fen_to_yuan_text
from banking_core.statements.service import CategoryTotal, StatementPage, StatementRow
from banking_core.statements.vocabulary import known_words
from bot.dialogue.reading.types import Reading
from bot.dialogue.reply import Card, Fact, Reply, choices
from bot.dialogue.skill import Accepted, Checked, Done, Manner, Skill, Slot, Turn
from bot.dialogue.slots import DateSlot, local_date
from bot.dialogue.state import Frame

RECENT_DAYS = 30
ROWS_SHOWN_MAX = 10
ROWS_SAID_MAX = 3  # on a telephone
CATEGORIES_SHOWN_MAX = 8
_IN = re.compile(r"收入|进账|到账|入账|收到|转进|发了|赚|挣|打进来|进来")
_OUT = re.compile(r"支出|花|消费|用了|交了|付|转出|扣|买|开销|还了多少")
_PARTY = re.compile(
    r"(?:跟|和|给|在|向|与|付给|转给|收到)([\u4e00-\u9fffA-Za-z]{2,10}?)(?:的|转|花|消费|买|付|那|往来|之间|$)"
)
_VAGUE = re.compile(r"我|你|他|她|它|这|那|哪|什么|卡|账|银行|网上|手机|上|最近|都")


class PeriodSlot(DateSlot):
    """The days asked about; the last thirty unless said."""

    def __init__(self) -> None:
        super().__init__("period", "时间", question="查哪段时间的？")

    async def check(self, turn: Turn, frame: Frame, raw: Any) -> Checked:
        """A period may not lie wholly in the future; its end is cut at today."""
        accepted = await super().check(turn, frame, raw)
        assert isinstance(accepted, Accepted)
        today = local_date(turn).isoformat()
        start, end = accepted.value
        if start > today:
            return await self.default(turn, frame)
        return Accepted([start, min(end, today)], accepted.shown)

    async def default(self, turn: Turn, frame: Frame) -> Accepted:
        """The last thirty days."""
        today = local_date(turn)
        return Accepted(
            [(today - timedelta(days=RECENT_DAYS - 1)).isoformat(), today.isoformat()], f"最近{RECENT_DAYS}天"
        )


class WordsSlot(Slot[str]):
    """What the transactions are about: words the statement vocabulary knows, a shop, a person."""

    def __init__(self) -> None:
        super().__init__("words", "内容", question="查哪一类？")

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """The longest known words in the text; else who stands after 跟/给/在; else a payee the model heard."""
        found: list[Reading[str]] = []
        for word in known_words():
            at = turn.text.find(word)
            if at >= 0 and not any(at < r.end and r.start < at + len(word) for r in found):
                found.append(Reading(word, at, at + len(word), word))
        if found:
            joined = " ".join(reading.value for reading in found)
            return [Reading(joined, found[0].start, found[-1].end, joined)]
        for entity in turn.heard.entities:
            if entity.kind == "payee":
                return [Reading(entity.value, entity.start, entity.end, entity.value)]
        match = _PARTY.search(turn.text)
        if match and not _VAGUE.search(match[1]):
            return [Reading(match[1], match.start(1), match.end(1), match[1])]
        return []

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Any words."""
        return Accepted(raw, raw)

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """Everything."""
        return Accepted("", "全部")


class DirectionSlot(Slot[str]):
    """Money in, money out, or both."""

    def __init__(self) -> None:
        super().__init__("direction", "收支", question="查收入还是支出？")

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """收入 words or 支出 words; both or neither leave it open."""
        into, out = _IN.search(turn.text), _OUT.search(turn.text)
        hit = into if into and not out else out if out and not into else None
        return [Reading("in" if hit is into else "out", hit.start(), hit.end(), hit[0])] if hit else []

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """in or out."""
        return Accepted(raw, {"in": "收入", "out": "支出"}[raw])

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """Both."""
        return Accepted("", "收支都看")


class StatementSearchSkill(Skill):
    """查明细."""

    intent = "statement_search"
    title = "查明细"
    manner = Manner(example="查上个月的水电费")
    slots = (PeriodSlot(), WordsSlot(), DirectionSlot())

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """The newest rows as a table, the totals of all in words."""
        start, end = (date.fromisoformat(day) for day in frame.values["period"])
        with refusals():
            page = await bank_of(turn).statements.search(
                turn.session,
                customer_of(turn),
                start=start,
                end=end,
                direction=frame.values["direction"] or None,
                words=frame.values["words"] or None,
                limit=ROWS_SHOWN_MAX,
            )
        return Done(_reply(frame, start, end, page, aloud=turn.aloud))


class SpendingSkill(Skill):
    """消费分析."""

    intent = "spending_analysis"
    title = "消费分析"
    manner = Manner(example="上个月的消费占比")
    slots = (PeriodSlot(),)

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """What was spent by category, most first; channels may draw it."""
        start, end = (date.fromisoformat(day) for day in frame.values["period"])
        with refusals():
            totals = await bank_of(turn).statements.by_category(
                turn.session, customer_of(turn), start=start, end=end
            )
        return Done(_spending(_days(start, end), [each for each in totals if each.out_fen]))


def _spending(days: str, spent: list[CategoryTotal]) -> Reply:
    sum_fen = sum(each.out_fen for each in spent)
    if sum_fen == 0:
        return Reply(f"{days}没有支出。可以换个时间再看，比如“上个月”“今年”。")
    shares = [(each.name, each.out_fen) for each in spent[:CATEGORIES_SHOWN_MAX]]
    if rest_fen := sum_fen - sum(fen for _, fen in shares):
        shares.append(("其余", rest_fen))
    rows = tuple((name, fen_to_yuan_text(fen), f"{fen / sum_fen:.1%}") for name, fen in shares)
    card = Card(
        kind="spending",
        title="消费分析",
        facts=(Fact("时间", days), Fact("支出合计", fen_to_yuan_text(sum_fen))),
        columns=("类别", "金额", "占比"),
        rows=rows,
    )
    name, amount, share = rows[0]
    return Reply(f"{days}共支出{fen_to_yuan_text(sum_fen)}，最多的是{name}：{amount}，占{share}。", card)


def _days(start: date, end: date) -> str:
    return _day(start) if start == end else f"{_day(start)}到{_day(end)}"


def _reply(frame: Frame, start: date, end: date, page: StatementPage, *, aloud: bool = False) -> Reply:
    days = _days(start, end)
    about = f"“{frame.values['words']}”" if frame.values["words"] else ""
    if page.total_count == 0:
        return Reply(
            f"{days}没有查到{about}的记录。可以换个时间再查，比如“上个月”“今年”。",
            choices=choices("查最近三个月的明细"),
        )
    totals = []
    if page.total_in_fen:
        totals.append(f"收入{fen_to_yuan_text(page.total_in_fen)}")
    if page.total_out_fen:
        totals.append(f"支出{fen_to_yuan_text(page.total_out_fen)}")
    rows = tuple(
        (
            row.booked_at.astimezone(BANK_ZONE).strftime("%m-%d"),
            row.summary
            if row.counterparty_name in ("", row.summary)
            else f"{row.summary} {row.counterparty_name}",
            fen_to_signed_text(row.amount_fen),
        )
        for row in page.rows
    )
    more = f"下面是最近{len(rows)}笔。" if page.total_count > len(rows) else ""
    if aloud:
        more = "".join(f"{_said(row)}。" for row in page.rows[:ROWS_SAID_MAX])
    card = Card(
        kind="statement",
        title=f"{about or '账户'}明细",
        facts=(Fact("时间", days), Fact("笔数", f"{page.total_count}笔")),
        columns=("日期", "摘要", "金额"),
        rows=rows,
    )
    return Reply(f"{days}{about}共{page.total_count}笔，{'，'.join(totals)}。{more}", card)


def _said(row: StatementRow) -> str:
    """One line of a statement for who only hears it."""
    day = row.booked_at.astimezone(BANK_ZONE)
    way = "收入" if row.amount_fen > 0 else "支出"
    return f"{day.month}月{day.day}日，{row.summary}，{way}{fen_to_yuan_text(abs(row.amount_fen))}"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
