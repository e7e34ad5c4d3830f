"""What a person may ask of the bank (Personal Information Protection Law, articles 45 and 47): a copy, and erasure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.bank import Bank
from banking_core.checked import checked_function
from banking_core.errors import Refused
from banking_core.privacy.holding import Holding, readable
from banking_core.privacy.holdings import BankObstacles
from banking_core.voiceprints import Recording


class EraseRefused(Refused):
    """Something is still open; `reasons` say what, in Chinese."""

    code = "erase_refused"

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        text = "；".join(self.reasons)
        super().__init__(
            "something is still open", customer_text=f"现在还不能注销：{text}。办完这些再来注销。"
        )


class Obstacle(Protocol):
    """A reason not to erase somebody yet."""

    async def __call__(self, session: AsyncSession, customer_id: str) -> Sequence[str]:
        """Chinese clauses, such as 还有1笔业务没有办完; none when nothing is in the way."""
        ...


@checked_function
async def export_person(
    session: AsyncSession, bank: Bank, customer_id: str, holdings: Sequence[Holding]
) -> dict[str, Any]:
    """Everything held about a customer as one JSON object with Chinese labels; noted in the audit trail."""
    now = bank.clock.now()
    copy: dict[str, Any] = {"说明": "本文件是掌柜银行保存的您的全部个人信息", "导出时间": readable(now)}
    told = [holding for holding in holdings if holding.labels]
    for holding in told:
        rows = await holding.export(session, customer_id)
        assert holding.title not in copy, f"two holdings are called {holding.title}"
        copy[holding.title] = rows
    copy["保存的录音"] = _recordings(await bank.voiceprints.recordings(session, customer_id), now)
    counts = {holding.table: len(copy[holding.title]) for holding in told if copy[holding.title]}
    _note(session, "customer.exported", customer_id, now, counts)
    return copy


@checked_function
async def erase_person(
    session: AsyncSession,
    bank: Bank,
    customer_id: str,
    holdings: Sequence[Holding],
    obstacles: Sequence[Obstacle] = (),
) -> dict[str, int]:
    """Destroys what is held about a customer, except what the holdings keep; returns rows by table.

    Raises CustomerNotFound, and EraseRefused while money, orders or anything else is open. The ledger stays, and the
    audit trail keeps that it was done.
    """
    await bank.customers.lock(session, customer_id)
    reasons: list[str] = []
    for obstacle in (BankObstacles(bank), *obstacles):
        reasons += await obstacle(session, customer_id)
    now = bank.clock.now()
    if reasons:
        raise EraseRefused(reasons)
    counts: dict[str, int] = {}
    for holding in holdings:
        counts[holding.table] = await holding.erase(session, customer_id)
    done = {table: count for table, count in counts.items() if count}
    _note(session, "customer.erased", customer_id, now, done)
    return done


def _recordings(kept: Sequence[Recording], now: datetime) -> dict[str, Any]:
    """That there are recordings of spoken passwords, and until when; the sound itself is opened for nobody."""
    return {
        "数量": len(kept),
        "明细": [
            {
                "内容": "念数字核实身份的录音，加密保存",
                "录音时间": readable(each.at),
                "保存到": readable(each.until) if each.until > now else "已经到期，马上删除",
            }
            for each in kept
        ],
    }


def _note(
    session: AsyncSession, action: str, customer_id: str, now: datetime, counts: Mapping[str, int]
) -> None:
    note(
        session,
        action,
        at=now,
        customer_id=customer_id,
        object_kind="customer",
        object_id=customer_id,
        after={"rows": dict(counts)},
    )
