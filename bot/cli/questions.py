"""`zhanggui questions`: what customers asked and the knowledge base could not answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click

from banking_core.clock import BANK_ZONE
from banking_core.storage import Database
from bot.conversation import demand
from bot.conversation.errors import UnknownQuestion
from bot.settings import Settings

NOTE_LENGTH_MAX = 200
_DONE = {"not_known": "不知道", "suggest": "给了相近问题", "fallback": "没听懂"}


async def list_questions(settings: Settings, days: int, limit: int, *, as_json: bool) -> None:
    """Prints the open questions of the last days, the most frequent first."""
    database = Database(settings.database_url, vault=settings.open_vault())
    try:
        async with database.snapshot() as session:
            found = await demand.open_questions(session, datetime.now(UTC) - timedelta(days=days), limit)
    finally:
        await database.close()
    if as_json:
        rows = [
            {"id": q.fingerprint, "text": q.text, "times": q.times, "last_at": q.last_at.isoformat()}
            | {"action": q.action}
            for q in found
        ]
        click.echo(json.dumps({"questions": rows}, ensure_ascii=False))
        return
    for q in found:
        at = q.last_at.astimezone(BANK_ZONE)
        click.echo(f"{q.fingerprint}  {q.times:>4} 次  {at:%m-%d %H:%M}  {_DONE[q.action]}  {q.text}")
    click.echo(
        f"共 {len(found)} 个待补的问题。补进 nlu_data/faq 后，用“zhanggui questions done 编号”标记。"
        if found
        else f"最近 {days} 天没有答不上来的问题。"
    )


async def settle_question(settings: Settings, fingerprint: str, note: str) -> bool:
    """Marks one as dealt with; False when there is no such open question."""
    database = Database(settings.database_url, vault=settings.open_vault())
    try:
        async with database.transaction() as session:
            await demand.settle(session, fingerprint, datetime.now(UTC), note[:NOTE_LENGTH_MAX])
    except UnknownQuestion as error:
        click.echo(error.customer_text, err=True)
        return False
    finally:
        await database.close()
    click.echo("已标记。")
    return True
