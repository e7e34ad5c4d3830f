"""`zhanggui ledger verify` and `zhanggui ledger heads`."""

from __future__ import annotations

from pathlib import Path

import click

from banking_core.bank import build_bank
from banking_core.clock import SystemClock
from banking_core.ledger import Head, VerifyReport
from banking_core.ledger.heads import heads_digest
from banking_core.storage import Database
from bot.cli.chain_heads import read_heads_file, write_heads_file
from bot.settings import Settings


async def verify_ledger(settings: Settings, heads_path: Path | None = None) -> bool:
    """Prints every problem, the first bad row first; True when the books are right.

    `heads_path` is a file `write_heads` made earlier: the ledger must still contain what it names.
    """
    heads = read_heads_file(heads_path, "zhanggui ledger heads")
    if heads is None:
        return False
    report = await _verify(settings, heads)
    for problem in report.problems:
        click.echo(f"{problem.code} {problem.row}: {problem.detail}")
    for trial in report.trial_balances:
        click.echo(f"试算平衡 {trial.currency}：借方 {trial.debit_fen}，贷方 {trial.credit_fen}")
    click.echo(f"交易 {report.transaction_count}，分录 {report.entry_count}，冻结 {report.hold_count}")
    click.echo(f"链头摘要 {heads_digest(report.heads)}")
    click.echo("账本核对无误。" if report.ok else f"账本有 {len(report.problems)} 处不对。")
    return report.ok


async def write_heads(settings: Settings, path: Path) -> bool:
    """Writes the chain heads of a ledger that verifies to a new file; False, and no file, when it does not."""
    report = await _verify(settings, ())
    if not report.ok:
        click.echo(f"账本有 {len(report.problems)} 处不对，没有写出链头；请先运行“zhanggui ledger verify”。")
        return False
    return write_heads_file(path, report.heads)


async def _verify(settings: Settings, heads: tuple[Head, ...]) -> VerifyReport:
    database = Database(settings.database_url)
    bank = build_bank(settings.bank_settings(), SystemClock())
    try:
        async with database.snapshot() as session:
            return await bank.ledger.verify(session, heads)
    finally:
        await bank.close()
        await database.close()
