"""`zhanggui ledger verify`."""

from __future__ import annotations

import click

from banking_core.bank import build_bank
from banking_core.clock import SystemClock
from banking_core.storage import Database
from bot.settings import Settings


async def verify_ledger(settings: Settings) -> bool:
    """Prints every problem, the first bad row first; True when the books are right."""
    database = Database(settings.database_url)
    bank = build_bank(settings.bank_settings(), SystemClock())
    try:
        async with database.snapshot() as session:
            report = await bank.ledger.verify(session)
    finally:
        await bank.close()
        await database.close()
    for problem in report.problems:
        click.echo(f"{problem.code} {problem.row}: {problem.detail}")
    click.echo("账本核对无误。" if report.ok else f"账本有 {len(report.problems)} 处不对。")
    return report.ok
