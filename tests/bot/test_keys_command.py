"""`zhanggui keys`: what an operator does with the keys of personal data."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from banking_core.audit import AuditQuery, search
from banking_core.clock import ManualClock
from banking_core.customers import Customers
from banking_core.customers.id_numbers import complete_id_number
from banking_core.storage import Database
from banking_core.vault import KeyFile, KeyRing
from bot.cli.main import cli
from bot.settings import load_settings
from migrations import upgrade
from tests.keys import MADE_AT


def test_a_key_file_is_made_once_and_an_existing_one_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = CliRunner().invoke(cli, ["keys", "init", str(path)])
    assert made.exit_code == 0 and "另存" in made.output
    ring = KeyFile(path).load()
    again = CliRunner().invoke(cli, ["keys", "init", str(path)])
    assert again.exit_code == 1 and "已经存在" in again.output
    assert KeyFile(path).load() == ring


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(cli, ["keys", "init", str(tmp_path / "file" / "keys.json")])
    assert done.exit_code == 1
    assert len(done.output.strip().splitlines()) == 1


@pytest.fixture
async def bank(elsewhere: Path) -> Path:
    """The data folder of a bank with one customer, which the command line finds by its settings."""
    settings = load_settings()
    await upgrade(settings.database_url)
    database = Database(settings.database_url, vault=settings.open_vault())
    async with database.transaction() as session:
        await Customers(ManualClock(MADE_AT)).create(
            session, phone="13800000004", name="张伟", id_number=complete_id_number("11010119900307123")
        )
    await database.close()
    return elsewhere / "data"


async def command(*arguments: str) -> tuple[int, str]:
    """Runs it in a thread: it has an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, cli, ["keys", *arguments])
    return done.exit_code, done.output


def age(folder: Path, by: timedelta) -> None:
    """Makes every key of the file older."""
    file = KeyFile(folder / "keys.json")

    def older(ring: KeyRing) -> KeyRing:
        made = {key.id: replace(key, made_at=key.made_at - by) for key in ring.keys.values()}
        return replace(ring, keys=made)

    file.update(older)


async def test_an_operator_changes_keys_and_gives_the_old_one_up(bank: Path) -> None:
    code, shown = await command("list")
    assert code == 0 and "k1" in shown and "aes-256-gcm 3 项" in shown
    code, shown = await command("retire", "k1")
    assert code == 1 and "正在用" in shown
    code, shown = await command("rotate")
    assert code == 0 and "customer：1 行" in shown and "k2" in shown
    assert KeyFile(bank / "keys.json").load().rotating is False
    code, shown = await command("retire", "k1")
    assert code == 1 and "一小时" in shown
    age(bank, timedelta(hours=2))
    code, shown = await command("retire", "k1")
    assert code == 0 and "已删除" in shown
    code, shown = await command("list", "--json", "--ring", "data")
    (only,) = json.loads(shown)["keys"]
    assert (only["id"], only["current"], only["values"]) == ("k2", True, {"aes-256-gcm": 3})
    assert (await command("retire", "k7"))[0] == 1


async def test_an_interrupted_change_goes_on_with_the_same_key(bank: Path) -> None:
    KeyFile(bank / "keys.json").update(lambda ring: ring.with_new_key(MADE_AT))
    code, shown = await command("list")
    assert code == 0 and "没有做完" in shown
    code, shown = await command("rotate")
    assert code == 0 and "接着做" in shown and "k2" in shown and "k3" not in shown
    assert sorted(KeyFile(bank / "keys.json").load().keys) == ["k1", "k2"]


async def test_another_cipher_takes_effect_with_the_next_change(
    bank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHANGGUI_CIPHER", "sm4-gcm")
    assert (await command("rotate"))[0] == 0
    _, shown = await command("list", "--json", "--ring", "data")
    assert [key["values"] for key in json.loads(shown)["keys"]] == [{}, {"sm4-gcm": 3}]


async def test_another_bank_s_key_file_is_told_apart_in_one_sentence(bank: Path) -> None:
    (bank / "keys.json").unlink()
    KeyFile(bank / "keys.json").create(MADE_AT)
    code, shown = await command("rotate")
    assert code == 1 and "打不开" in shown
    assert KeyFile(bank / "keys.json").load().rotating is True


async def test_what_the_operator_does_with_keys_is_in_the_audit_trail(bank: Path) -> None:
    assert (await command("rotate"))[0] == 0
    age(bank, timedelta(hours=2))
    assert (await command("retire", "k1"))[0] == 0
    database = Database(load_settings().database_url)
    async with database.snapshot() as session:
        records = (await search(session, AuditQuery(actor_kind="operator"))).records
    await database.close()
    assert [(record.action, record.object_id) for record in records] == [
        ("keys.retired", "k1"),
        ("keys.rotated", "k2"),
        ("keys.made", "k2"),
    ]
