"""The ledger's measurement books for real, leaves sound books, and nothing of it stays behind."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.evaluation.ledger_speed import Task, measure_ledger, pgbench_scale
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]


async def test_on_sqlite_it_measures_beside_the_named_file_and_leaves_it_alone(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'bank.db'}"
    report = await measure_ledger(url, Task(accounts=5, workers=4, seconds=1), lambda _: None)
    assert report["verified"] is True
    assert report["engine"] == "sqlite" and report["pgbench_tps"] is None
    assert isinstance(report["transfers_per_s"], int) and report["transfers_per_s"] > 0
    assert list(tmp_path.iterdir()) == []


async def test_on_postgresql_both_are_measured_and_their_databases_are_dropped(postgres_url: str) -> None:
    report = await measure_ledger(postgres_url, Task(accounts=2, workers=4, seconds=2), lambda _: None)
    assert report["verified"] is True
    assert report["pgbench_scale"] == 2
    assert isinstance(report["ratio"], float) and report["ratio"] > 0
    assert report["fsync"] == "off"  # of the tests' server: the report says so instead of hiding it
    engine = create_async_engine(postgres_url)
    async with engine.connect() as connection:
        found = await connection.scalars(text("SELECT datname FROM pg_database"))
        assert not [name for name in found if name.startswith("zhanggui_bench")]
    await engine.dispose()


def test_pgbench_contends_for_as_many_rows_as_the_ledger() -> None:
    assert [pgbench_scale(accounts) for accounts in (10, 50, 10_000)] == [10, 50, 50]
