"""What the desk holds about a customer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.privacy.holding import Holding
from banking_core.privacy.words import CHANNELS
from desk.models import Case, Ticket
from desk.reasons import REASON_TEXT

DESK_HOLDINGS = (
    Holding(
        "转人工",
        Case,
        {
            "channel": "渠道",
            "reason": "原因",
            "queued_at": "开始排队",
            "claimed_at": "接待时间",
            "first_reply_at": "首次回复",
            "ended_at": "结束时间",
        },
        names={"channel": CHANNELS, "reason": REASON_TEXT},
        on_erase={"customer_id": None},
        order_by="queued_at",
    ),
    Holding(
        "工单",
        Ticket,
        {
            "number": "工单号",
            "phone": "回电号码",
            "content": "内容",
            "status": "状态",
            "answer": "处理结果",
            "created_at": "提出时间",
            "promised_at": "承诺时间",
            "finished_at": "办结时间",
        },
        names={"status": {"open": "处理中", "done": "已办结"}},
        on_erase={"phone": "", "content": "", "answer": None},
        order_by="created_at",
    ),
)


async def ticket_obstacle(session: AsyncSession, customer_id: str) -> Sequence[str]:
    """A call-back that is still owed."""
    owed = await session.scalars(
        select(Ticket.number).where(Ticket.customer_id == customer_id, Ticket.status == "open")
    )
    return [f"工单{number}还没有办结" for number in owed]
