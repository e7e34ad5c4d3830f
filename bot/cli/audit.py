"""`zhanggui audit`: asking the audit trail, checking it, and writing its chain heads to a file kept elsewhere."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import AuditQuery, AuditRecord, search
from banking_core.audit.verify import AuditReport, verify
from banking_core.clock import BANK_ZONE, SystemClock
from banking_core.customers import Customers
from banking_core.ledger import Head
from banking_core.ledger.heads import heads_digest
from banking_core.storage import Database
from bot.cli.chain_heads import read_heads_file, write_heads_file
from bot.settings import Settings
from desk.models import DeskAgent
from desk.trail import KIND_TEXT


async def show_trail(
    settings: Settings,
    *,
    customer: str | None,
    agent: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
    as_json: bool,
) -> bool:
    """Prints one page of the trail, newest first; False when the customer or agent is unknown."""
    database = Database(settings.database_url, vault=settings.open_vault())
    try:
        async with database.snapshot() as session:
            found = await _who(session, customer, agent)
            if found is None:
                return False
            customer_id, agent_id = found
            query = AuditQuery(customer_id=customer_id, actor_id=agent_id, since=since, until=until)
            page = await search(session, query, before_id=before, limit=limit)
            names = await _agent_names(session)
    finally:
        await database.close()
    if as_json:
        records = [_view(record) for record in page.records]
        click.echo(json.dumps({"records": records, "next_before": page.next_before_id}, ensure_ascii=False))
        return True
    for record in page.records:
        click.echo(_line(record, names))
    if not page.records:
        click.echo("没有符合条件的记录。")
    if page.next_before_id is not None:
        click.echo(f"还有更早的：加上 --before {page.next_before_id}")
    return True


async def verify_trail(settings: Settings, heads_path: Path | None) -> bool:
    """Prints every problem, the first bad row first; True when the trail is whole."""
    heads = read_heads_file(heads_path, "zhanggui audit heads")
    if heads is None:
        return False
    report = await _verify(settings, heads)
    for problem in report.problems:
        click.echo(f"{problem.code} {problem.row}: {problem.detail}")
    click.echo(f"记录 {report.record_count}，链头摘要 {heads_digest(report.heads)}")
    click.echo("审计记录核对无误。" if report.ok else f"审计记录有 {len(report.problems)} 处不对。")
    return report.ok


async def write_heads(settings: Settings, path: Path) -> bool:
    """Writes the chain heads of a trail that verifies to a new file; False, and no file, when it does not."""
    report = await _verify(settings, ())
    if not report.ok:
        click.echo(
            f"审计记录有 {len(report.problems)} 处不对，没有写出链头；请先运行“zhanggui audit verify”。"
        )
        return False
    return write_heads_file(path, report.heads)


async def _verify(settings: Settings, heads: tuple[Head, ...]) -> AuditReport:
    database = Database(settings.database_url)
    try:
        async with database.snapshot() as session:
            return await verify(session, heads)
    finally:
        await database.close()


async def _who(
    session: AsyncSession, phone: str | None, agent: str | None
) -> tuple[str | None, str | None] | None:
    """Customer and agent ids; None, said on the screen, when one of them is unknown."""
    customer_id = agent_id = None
    if phone is not None:
        customer = await Customers(SystemClock()).by_phone(session, phone)
        if customer is None:
            click.echo("没有这个手机号的客户。", err=True)
            return None
        customer_id = customer.id
    if agent is not None:
        agent_id = await session.scalar(select(DeskAgent.id).where(DeskAgent.username == agent))
        if agent_id is None:
            click.echo("没有这个用户名的坐席。", err=True)
            return None
    return customer_id, agent_id


async def _agent_names(session: AsyncSession) -> dict[str, str]:
    rows = await session.execute(select(DeskAgent.id, DeskAgent.username))
    return {str(agent_id): str(username) for agent_id, username in rows}


def _line(record: AuditRecord, names: dict[str, str]) -> str:
    at = record.at.astimezone(BANK_ZONE)
    who = f"{KIND_TEXT[record.actor_kind]} {names.get(record.actor_id, record.actor_id)}"
    where = " ".join(part for part in (record.channel, record.address, record.device) if part)
    told = " → ".join(
        json.dumps(values, ensure_ascii=False)
        for values in (record.before, record.after)
        if values is not None
    )
    what = " ".join(part for part in (record.action, record.object_kind, record.object_id) if part)
    refused = "" if record.allowed else "（被拒绝）"
    whose = f"客户 {record.customer_id}" if record.customer_id else ""
    parts = (f"#{record.id}", f"{at:%Y-%m-%d %H:%M:%S}", who, where, what + refused, whose, told)
    return "  ".join(part for part in parts if part)


def _view(record: AuditRecord) -> dict[str, Any]:
    shown = ("id", "actor_kind", "actor_id", "customer_id", "action", "allowed", "object_kind", "object_id")
    more = ("before", "after", "channel", "address", "device", "correlation_id")
    return {"at": record.at.isoformat()} | {name: getattr(record, name) for name in (*shown, *more)}
