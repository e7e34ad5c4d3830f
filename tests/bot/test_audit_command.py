"""`zhanggui audit`: an operator asks who did what, and whether the trail is whole."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from banking_core.audit import Who, note
from banking_core.clock import ManualClock
from banking_core.customers import Customers
from banking_core.customers.id_numbers import complete_id_number
from banking_core.storage import Database
from bot.cli.main import cli
from bot.settings import load_settings
from desk.service import Desk
from migrations import upgrade
from tests.keys import MADE_AT


@pytest.fixture
async def database(elsewhere: Path) -> Database:
    """A bank with one customer, at whom one agent has looked three times; the command line finds it by its settings."""
    settings = load_settings()
    await upgrade(settings.database_url)
    database = Database(settings.database_url, vault=settings.open_vault())
    clock = ManualClock(MADE_AT)
    async with database.transaction() as session:
        customer = await Customers(clock).create(
            session, phone="13800000004", name="张伟", id_number=complete_id_number("11010119900307123")
        )
        agent_id = await Desk(clock).add_agent(session, "xiaowang", "小王", "Desk2026!")
    for number in range(3):
        clock.advance(seconds=3600)
        async with database.transaction() as session:
            by = Who("agent", agent_id, channel="desk", address="203.0.113.7")
            note(session, f"look{number}", at=clock.now(), customer_id=customer.id, by=by)
    await database.close()
    return database


async def command(*arguments: str) -> tuple[int, str]:
    """Runs it in a thread: it has an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, cli, ["audit", *arguments])
    return done.exit_code, done.output


async def actions(*arguments: str) -> list[str]:
    code, shown = await command(*arguments, "--json")
    assert code == 0, shown
    return [record["action"] for record in json.loads(shown)["records"]]


async def test_the_trail_is_shown_by_customer_agent_and_time(database: Database) -> None:
    looks = ["look2", "look1", "look0"]
    assert await actions("--customer", "13800000004") == [*looks, "customer.registered"]
    assert await actions("--agent", "xiaowang") == looks
    assert await actions("--since", "2026-11-01 10:00:00", "--until", "2026-11-01 11:00:00") == ["look1"]
    code, shown = await command("--agent", "xiaowang", "--limit", "2")
    first, second, more = shown.splitlines()
    assert code == 0 and "坐席 xiaowang" in first and "desk 203.0.113.7" in first and "look2" in first
    assert "13800000004" not in shown and "张伟" not in shown
    before = more.split()[-1]
    assert await actions("--agent", "xiaowang", "--before", before) == ["look0"] and "look1" in second


@pytest.mark.parametrize("unknown", [("--customer", "13900000009"), ("--agent", "nobody")])
async def test_an_unknown_name_is_said(database: Database, unknown: tuple[str, str]) -> None:
    code, shown = await command(*unknown)
    assert code == 1 and shown.startswith("没有这个")


async def test_the_trail_is_verified_and_a_cut_shows_against_the_heads(
    database: Database, tmp_path: Path
) -> None:
    code, shown = await command("verify")
    assert code == 0 and "记录 4" in shown and "核对无误" in shown
    heads = tmp_path / "heads.json"
    assert (await command("heads", str(heads)))[0] == 0
    assert (await command("heads", str(heads)))[0] == 1, "an old file is not overwritten"
    assert (await command("verify", "--heads", str(heads)))[0] == 0
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER audit_record_no_update"))
        await connection.execute(text("UPDATE audit_record SET actor_id = 'x' WHERE action = 'look1'"))
    await database.close()
    code, shown = await command("verify")
    assert code == 1 and "hash_mismatch audit_record 3" in shown.splitlines()[0]
    assert (await command("heads", str(tmp_path / "new.json")))[0] == 1
    assert (await command("verify", "--heads", str(tmp_path / "none.json")))[0] == 1
