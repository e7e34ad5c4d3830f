"""What a customer hears of a mandate. Only what they should act on goes out at once, the rest waits to be read."""

from __future__ import annotations

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import bank_date
from banking_core.mandates.models import Mandate, MandateRun
from banking_core.money_text import fen_to_yuan_text
from banking_core.notices import Notices
from banking_core.orders.models import Order

KIND_NAMES = {"transfer": "转账", "topup": "话费充值"}
REASONS = {"insufficient_funds": "付款账户余额不足", "limit_exceeded": "超过了您的限额"}
TROUBLE = ("failed", "missed")


class Telling:
    """Writes the notices of one due day."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    async def tell(
        self,
        session: AsyncSession,
        mandate: Mandate,
        run: MandateRun,
        *,
        cause: str = "",
        order: Order | None,
    ) -> None:
        """Tells how a try ended; `cause` is a Chinese sentence for what has no short reason."""
        if run.outcome == "executed":
            assert order is not None
            text = f"已办好，订单号{order.number}。{_then(mandate)}"
        elif run.outcome == "retry":
            text = (
                f"没有办成：{REASONS.get(run.code, '暂时办不了')}，钱没有动。明天会再试一次，请提前准备好。"
            )
        elif run.outcome == "failed":
            text = f"没有办成。{_reason(run) or cause}{_then(mandate)}"
        elif run.outcome == "missed":
            text = f"因系统停机没有按时办理，钱没有动。需要现在办，请直接对我说。{_then(mandate)}"
        else:
            return  # its order is still under way, or the customer did it
        await self._notices.tell(
            session,
            key=f"mandate:{mandate.id}:{run.due_on}:{run.attempt}:{run.outcome}",
            customer_id=mandate.customer_id,
            kind=f"mandate_{run.outcome}",
            text=f"您约定的{name(mandate)}{_day(run.due_on)}这一笔{text}",
            urgent=run.outcome in TROUBLE,
        )


def name(mandate: Mandate) -> str:
    """What a customer knows it by: 房租（编号YD…，¥3,000.00）."""
    what = mandate.title or KIND_NAMES.get(mandate.kind, "业务")
    return f"{what}（编号{mandate.number}，{fen_to_yuan_text(mandate.amount_fen)}）"


def _reason(run: MandateRun) -> str:
    reason = REASONS.get(run.code)
    if reason is None:
        return ""
    return f"{reason}，试了{run.attempt + 1}次，钱没有动。" if run.attempt else f"{reason}，钱没有动。"


def _then(mandate: Mandate) -> str:
    if mandate.status == "paused":
        return f"已经连续{mandate.failed_runs}次没有办成，先为您暂停，要恢复请回复“转人工”。"
    if mandate.next_run_at is not None:
        return f"下一次是{_day(bank_date(mandate.next_run_at))}。"
    return "这项约定到此结束。" if mandate.status == "ended" else ""


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"
