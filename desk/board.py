"""The day in figures: what came, what the assistant solved, who waited how long, which promises were kept."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute

from banking_core.clock import BANK_ZONE
from banking_core.complaints import Complaint
from banking_core.days import day_bounds
from bot.conversation.demand import open_questions
from bot.conversation.models import AgentService, Message
from desk.breaks import Break, breaks
from desk.models import Case, Ticket
from desk.reasons import reason_text

TREND_DAYS = 14
TOPICS_MAX = 10
SETTLED = ("closed", "handed_back")
HOURS = 24
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take the text for a formula


@dataclass(frozen=True)
class Kept:
    """So many of so many promises were kept."""

    kept: int
    of: int

    @property
    def percent(self) -> float | None:
        """None when nothing was promised."""
        return round(100 * self.kept / self.of, 1) if self.of else None


@dataclass(frozen=True)
class Day:
    """One bank day. Times in seconds; `hours` counts hand-offs by hour, `trend` is (day, conversations, hand-offs).

    `replies_mean` is how many replies a service took that was settled.
    """

    day: date
    conversations: int
    handed_over: int
    solved_alone: Kept
    reasons: Sequence[tuple[str, int]]
    hours: Sequence[int]
    outcomes: Sequence[tuple[str, int]]
    wait_mean_s: float | None
    wait_p90_s: float | None
    wait_max_s: float | None
    first_reply: Kept
    next_reply: Kept
    resolution: Kept
    replies_mean: float | None
    csat_mean: float | None
    csat_count: int
    callbacks: tuple[int, int]  # filed, finished
    complaints: tuple[int, int]  # filed, answered
    topics: Sequence[tuple[str, int]]
    trend: Sequence[tuple[date, int, int]] = field(default_factory=tuple)
    breaks: Sequence[Break] = field(default_factory=tuple)


OUTCOME_TEXT = {
    "closed": "人工办结",
    "handed_back": "交回小掌柜",
    "left": "客户取消排队",
    "hung_up": "客户挂断",
    "unattended": "无人接待",
}


async def board(session: AsyncSession, day: date, now: datetime) -> Day:
    """The figures of one bank day, as far as it has gone."""
    begins, ends = day_bounds(day)
    rows = await session.scalars(select(Case).where(Case.queued_at >= begins, Case.queued_at < ends))
    cases = rows.all()
    conversations = await _conversations(session, begins, ends)
    handed = {case.conversation_id for case in cases}
    waits = _waits(cases, now)
    ratings = (
        await session.scalars(
            select(AgentService.score).where(
                AgentService.rated_at >= begins, AgentService.rated_at < ends, AgentService.score.is_not(None)
            )
        )
    ).all()
    questions = await open_questions(session, begins, TOPICS_MAX, until=ends)
    alone = conversations - await _with_people(session, begins, ends)
    return Day(
        day=day,
        conversations=len(conversations),
        handed_over=len(handed),
        solved_alone=Kept(len(alone), len(conversations)),
        reasons=[
            (reason_text(code), count) for code, count in Counter(c.reason for c in cases).most_common()
        ],
        hours=_by_hour(cases),
        outcomes=[
            (OUTCOME_TEXT[code], count)
            for code, count in Counter(c.outcome for c in cases if c.outcome).most_common()
        ],
        wait_mean_s=round(sum(waits) / len(waits), 1) if waits else None,
        wait_p90_s=waits[ceil(0.9 * len(waits)) - 1] if waits else None,
        wait_max_s=waits[-1] if waits else None,
        first_reply=_first_replies(cases, now),
        next_reply=_next_replies(cases, now),
        resolution=_resolutions(cases, now),
        replies_mean=_mean([case.replies for case in cases if case.outcome in SETTLED]),
        csat_mean=round(sum(score or 0 for score in ratings) / len(ratings), 2) if ratings else None,
        csat_count=len(ratings),
        callbacks=(
            await _count(session, Ticket.created_at, begins, ends),
            await _count(session, Ticket.finished_at, begins, ends),
        ),
        complaints=(
            await _count(session, Complaint.filed_at, begins, ends),
            await _count(session, Complaint.answered_at, begins, ends),
        ),
        topics=[(question.text, question.times) for question in questions],
        trend=await _trend(session, day),
        breaks=await breaks(session, begins, ends, now),
    )


def as_csv(day: Day) -> str:
    """The figures as lines of name and value, with the mark by which spreadsheets know UTF-8."""
    rows: list[tuple[str, object]] = [
        ("日期", day.day.isoformat()),
        ("会话数", day.conversations),
        ("转人工会话数", day.handed_over),
        ("小掌柜独立解决率%", _shown(day.solved_alone.percent)),
        ("平均等待秒", _shown(day.wait_mean_s)),
        ("90%等待秒", _shown(day.wait_p90_s)),
        ("最长等待秒", _shown(day.wait_max_s)),
        ("首次回复达标%", _shown(day.first_reply.percent)),
        ("后续回复达标%", _shown(day.next_reply.percent)),
        ("办结达标%", _shown(day.resolution.percent)),
        ("每次人工服务平均回复数", _shown(day.replies_mean)),
        ("满意度均分", _shown(day.csat_mean)),
        ("评价数", day.csat_count),
        ("新工单", day.callbacks[0]),
        ("办结工单", day.callbacks[1]),
        ("新投诉", day.complaints[0]),
        ("答复投诉", day.complaints[1]),
        *((f"转人工原因：{name}", count) for name, count in day.reasons),
        *((f"结果：{name}", count) for name, count in day.outcomes),
        *((f"{hour}时转人工", count) for hour, count in enumerate(day.hours) if count),
        *((f"没有答案：{text}", count) for text, count in day.topics),
        *((_break_text(each), round(each.seconds / 60, 1)) for each in day.breaks),
    ]
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(("指标", "数值"))
    writer.writerows((harmless(name), value) for name, value in rows)
    return "\ufeff" + page.getvalue()


def _break_text(each: Break) -> str:
    """Who, why and from when; the value beside it is minutes."""
    at = each.began_at.astimezone(BANK_ZONE).strftime("%H:%M")
    return f"小休分钟：{each.agent_name} {each.reason} {at}起{'' if each.ended_at else '（还没结束）'}"


def _shown(value: float | None) -> object:
    return "" if value is None else value


def harmless(text: str) -> str:
    """No formula to a spreadsheet."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _mean(numbers: Sequence[int]) -> float | None:
    return round(sum(numbers) / len(numbers), 1) if numbers else None


def _by_hour(cases: Sequence[Case]) -> list[int]:
    counted = Counter(case.queued_at.astimezone(BANK_ZONE).hour for case in cases)
    return [counted[hour] for hour in range(HOURS)]


def _first_replies(cases: Sequence[Case], now: datetime) -> Kept:
    """Of those who were answered, or should have been by now; who left before that was due does not count."""
    kept = late = 0
    for case in cases:
        until = case.first_reply_at or case.ended_at or now
        if until > case.first_reply_due_at:
            late += 1
        elif case.first_reply_at is not None:
            kept += 1
    return Kept(kept, kept + late)


def _next_replies(cases: Sequence[Case], now: datetime) -> Kept:
    """Of those that were given, or should have been by now."""
    owed = late = 0
    for case in cases:
        owed, late = owed + case.owed_replies, late + case.late_replies
        if case.reply_is_late(now):
            late += 1
        elif case.next_reply_due_at is not None:
            owed -= 1
    return Kept(owed - late, owed)


def _waits(cases: Sequence[Case], now: datetime) -> list[float]:
    """Seconds, shortest first, until somebody took them, they left, or now; who found nobody there did not wait."""
    ends = ((case, case.claimed_at or case.ended_at or now) for case in cases)
    return sorted(
        (until - case.queued_at).total_seconds()
        for case, until in ends
        if case.claimed_at is not None or until > case.queued_at
    )


def _resolutions(cases: Sequence[Case], now: datetime) -> Kept:
    """Of those a person settled, or should have by now; who left before that was due does not count."""
    kept = sum(
        case.outcome in SETTLED and case.ended_at is not None and case.ended_at <= case.resolution_due_at
        for case in cases
    )
    late = sum((case.ended_at or now) > case.resolution_due_at for case in cases)
    return Kept(kept, kept + late)


async def _with_people(session: AsyncSession, begins: datetime, ends: datetime) -> set[str]:
    """Conversations in which a person was asked for, or still had the customer, in that time."""
    rows = await session.scalars(
        select(Case.conversation_id)
        .where(Case.queued_at < ends, or_(Case.ended_at.is_(None), Case.ended_at >= begins))
        .distinct()
    )
    return set(rows)


async def _conversations(session: AsyncSession, begins: datetime, ends: datetime) -> set[str]:
    rows = await session.scalars(
        select(Message.conversation_id)
        .where(Message.sender == "customer", Message.created_at >= begins, Message.created_at < ends)
        .distinct()
    )
    return set(rows)


async def _count(
    session: AsyncSession, column: QueryableAttribute[Any], begins: datetime, ends: datetime
) -> int:
    count = await session.scalar(select(func.count()).where(column >= begins, column < ends))
    return int(count or 0)


async def _trend(session: AsyncSession, day: date) -> list[tuple[date, int, int]]:
    found = []
    for back in range(TREND_DAYS - 1, -1, -1):
        then = day - timedelta(days=back)
        begins, ends = day_bounds(then)
        talked = await session.scalar(
            select(func.count(Message.conversation_id.distinct())).where(
                Message.sender == "customer", Message.created_at >= begins, Message.created_at < ends
            )
        )
        handed = await session.scalar(
            select(func.count(Case.conversation_id.distinct())).where(
                Case.queued_at >= begins, Case.queued_at < ends
            )
        )
        found.append((then, int(talked or 0), int(handed or 0)))
    return found
