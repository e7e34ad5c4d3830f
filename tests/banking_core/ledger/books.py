"""A small set of books for ledger tests: the world outside and customers' accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.core import Core
from banking_core.ledger import EntryDraft, LedgerHold, LedgerTransaction
from banking_core.ledger.service import Ledger
from banking_core.storage import Database


async def open_books(
    session: AsyncSession, ledger: Ledger, *balances_fen: int, currency: str = "CNY"
) -> tuple[int, list[int]]:
    """The outside world (no floor) and customers' accounts (floor 0) with the given balances."""
    tag = currency.lower()
    world = await ledger.open_account(
        session, code=f"world:{tag}", name="外部", kind="internal", normal_side="debit", currency=currency
    )
    ids = []
    for index, balance_fen in enumerate(balances_fen):
        account = await ledger.open_for(
            session, code=f"{tag}:{index}", name="测试", purpose="deposit", currency=currency
        )
        ids.append(account.id)
        if balance_fen:
            await move(session, ledger, f"open:{tag}:{index}", world.id, account.id, balance_fen)
    return world.id, ids


def lines(source: int, target: int, amount_fen: int) -> list[EntryDraft]:
    return [EntryDraft(source, -amount_fen), EntryDraft(target, amount_fen)]


async def move(
    session: AsyncSession, ledger: Ledger, key: str, source: int, target: int, amount_fen: int
) -> LedgerTransaction:
    return await ledger.post(
        session, key=key, kind="transfer", entries=lines(source, target, amount_fen), memo=""
    )


async def hold(
    session: AsyncSession, core: Core, key: str, account: int, amount_fen: int, *, now: datetime | None = None
) -> LedgerHold:
    """A hold for an hour."""
    expires_at = (now or core.clock.now()) + timedelta(hours=1)
    return await core.ledger.place_hold(
        session, key=key, ledger_account_id=account, amount_fen=amount_fen, expires_at=expires_at
    )


async def disarm(session: AsyncSession, *tables: str) -> None:
    """What somebody with the database's password would do first."""
    for table in tables:
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            continue
        triggers = await session.scalars(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"),
            {"table": table},
        )
        for name in triggers.all():
            await session.execute(text(f"DROP TRIGGER {name}"))


async def unruled(database: Database, table: str, statement: str) -> None:
    """Runs it with no trigger, no foreign key and no check of the table in its way."""
    async with database.transaction() as session:
        await disarm(session, table)
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            for rule in ("foreign_keys=OFF", "ignore_check_constraints=ON"):
                await connection.execute(text(f"PRAGMA {rule}"))
            await connection.commit()
        else:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            checks = (
                f"SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = '{table}'::regclass"
            )
            for name in (await connection.scalars(text(checks))).all():
                await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        await connection.execute(text(statement))
        await connection.commit()
