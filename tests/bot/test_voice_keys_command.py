"""`zhanggui keys --ring voice`, and a bank that is started without the keys of its voices."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from banking_core.audit import AuditQuery, search
from banking_core.bank import build_bank
from banking_core.clock import ManualClock
from banking_core.storage import Database
from banking_core.vault import KeyFile, KeyRing, KeyRingInvalid
from banking_core.voiceprints import VoiceUnavailable
from banking_core.voiceprints.models import VoiceAttempt, Voiceprint
from bot.assembly import build_product
from bot.cli.doctor import _database, voices_finding
from bot.cli.main import cli
from bot.settings import ROOT, Settings, load_settings
from migrations import upgrade
from tests.banking_core.people import make_person
from tests.banking_core.voiceprints.test_voiceprints import Caller
from tests.keys import MADE_AT

SECRET = "a-value-of-more-than-thirty-two-characters-for-tests"


@pytest.fixture
async def folder(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a bank with one customer who has a voiceprint."""
    monkeypatch.setenv("ZHANGGUI_CACHE_DIR", str(ROOT / "var" / "cache"))
    settings = load_settings()
    await upgrade(settings.database_url)
    clock = ManualClock(MADE_AT)
    database = Database(settings.database_url, vault=settings.open_vault())
    bank = build_bank(settings.bank_settings(), clock)
    await bank.start(database)
    async with database.transaction() as session:
        person = await make_person(session, bank, "张伟", "13800000004", 1000_00)
    caller = Caller(bank, database, person)
    bank.voiceprints.use(caller.voices)
    await caller.enrol()
    await bank.close()
    await database.close()
    return elsewhere / "data"


async def command(*arguments: str, typed: str = "") -> tuple[int, str]:
    """Runs it in a thread: it has an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, cli, arguments, input=typed)
    return done.exit_code, done.output


def voice_file(folder: Path) -> KeyFile:
    return KeyFile(folder / "voice-keys.json", "voice")


def lose(folder: Path) -> None:
    """The file is gone, and a fresh one in its place."""
    voice_file(folder).path.unlink()
    assert voice_file(folder).create(MADE_AT)


async def test_both_rings_are_listed_and_the_voices_keys_are_changed_and_given_up(folder: Path) -> None:
    data = KeyFile(folder / "keys.json").load()
    code, shown = await command("keys", "list")
    assert code == 0 and "个人资料（data）" in shown and "声纹（voice）" in shown and "v1" in shown
    code, shown = await command("keys", "rotate", "--ring", "voice")
    assert code == 0 and "voiceprint：1 行" in shown and "voice_attempt：3 行" in shown and "v2" in shown
    assert "customer：" not in shown
    code, shown = await command("keys", "retire", "v1")
    assert code == 1 and "一小时" in shown

    def older(ring: KeyRing) -> KeyRing:
        made = {key.id: replace(key, made_at=key.made_at - timedelta(hours=2)) for key in ring.keys.values()}
        return replace(ring, keys=made)

    voice_file(folder).update(older)
    code, shown = await command("keys", "retire", "v1")
    assert code == 0 and "已删除" in shown
    code, shown = await command("keys", "list", "--json")
    keys = json.loads(shown)["keys"]
    assert [(key["ring"], key["id"]) for key in keys] == [("data", "k1"), ("voice", "v2")]
    assert keys[1]["values"] == {"aes-256-gcm": 4}
    assert KeyFile(folder / "keys.json").load() == data, "the other ring is as it was"


async def test_an_interrupted_change_of_the_voices_keys_goes_on(folder: Path) -> None:
    voice_file(folder).update(lambda ring: ring.with_new_key(MADE_AT))
    _, shown = await command("keys", "list")
    assert "keys rotate --ring voice" in shown
    code, shown = await command("keys", "rotate", "--ring", "voice")
    assert code == 0 and "接着做" in shown and "v2" in shown and "v3" not in shown


async def test_a_key_file_in_the_other_s_place_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHANGGUI_VOICE_KEY_FILE", str(folder / "keys.json"))
    code, shown = await command("keys", "list", "--ring", "voice")
    assert code == 2 and "ZHANGGUI_VOICE_KEY_FILE" in shown and len(shown.strip().splitlines()) == 1
    monkeypatch.delenv("ZHANGGUI_VOICE_KEY_FILE")
    monkeypatch.setenv("ZHANGGUI_KEY_FILE", str(folder / "voice-keys.json"))
    with pytest.raises(KeyRingInvalid, match="'data'"):
        load_settings().open_vault()


async def test_lost_voices_are_told_by_the_log_and_doctor_and_destroyed_on_request(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert voices_finding(keys_fit=True) in await _database(load_settings())
    lose(folder)
    assert voices_finding(keys_fit=False) in await _database(load_settings())
    code, shown = await command("keys", "rotate", "--ring", "voice")
    assert code == 1 and "打不开：voiceprint.template" in shown and "forget-voices" in shown
    assert not voices_finding(keys_fit=False).good
    product = build_product(load_settings())
    await product.bank.start(product.database)
    await product.close()
    assert "customers must record anew" in caplog.text
    code, _ = await command("keys", "forget-voices", typed="n\n")
    assert code == 1
    code, shown = await command("keys", "forget-voices", "--yes")
    assert code == 0 and "已销毁 4 条" in shown
    code, shown = await command("keys", "rotate", "--ring", "voice")
    assert code == 0
    settings = load_settings()
    database = Database(settings.database_url, vault=settings.open_vault())
    async with database.snapshot() as session:
        (found,) = await session.scalars(select(Voiceprint))
        assert found.template == ""
        assert [one.fingerprint for one in await session.scalars(select(VoiceAttempt))] == [None] * 3
        records = (await search(session, AuditQuery(actor_kind="operator"))).records
    await database.close()
    assert [(one.action, one.object_id) for one in records] == [
        ("keys.rotated", "v2"),
        ("keys.voices_forgotten", "v2"),
        ("keys.made", "v2"),
    ]


@pytest.mark.parametrize("what", ["missing", "open to all", "torn"])
async def test_in_production_the_bank_starts_without_the_keys_of_the_voices_and_makes_none(
    folder: Path, what: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = voice_file(folder).path
    if what == "missing":
        path.unlink()
    elif what == "open to all":
        path.chmod(0o604)
    else:
        path.write_text(path.read_text()[:80])
    monkeypatch.setenv("ZHANGGUI_MODE", "production")
    for name, value in {"NLU_TOKEN": SECRET, "OTP_KEY": SECRET, "DEMO_BANK": "false"}.items():
        monkeypatch.setenv(f"ZHANGGUI_{name}", value)
    monkeypatch.setenv("ZHANGGUI_KEY_FILE", str(folder / "keys.json"))
    monkeypatch.setenv("ZHANGGUI_VOICE_KEY_FILE", str(path))
    settings: Settings = load_settings()
    product = build_product(settings)
    await upgrade(settings.database_url, vault=product.database.vault)
    await product.bank.start(product.database)
    async with product.database.snapshot() as session:
        customer = await product.bank.customers.by_phone(session, "13800000004")
        assert customer is not None and customer.name == "张伟"
        status = await product.bank.voiceprints.status(session, customer.id)
        assert (status.available, status.enrolled, status.renew) == (False, True, False)
    with pytest.raises(VoiceUnavailable):
        product.bank.voiceprints.ensure_available()
    await product.close()
    assert "no voiceprints, their keys cannot be used code=key_ring_invalid" in caplog.text
    assert path.exists() == (what != "missing")


def test_keys_made_at_the_first_start_are_told_of_without_being_told(
    elsewhere: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    load_settings().open_vault()
    made = [record.message for record in caplog.records if "key file made" in record.message]
    assert [("keys.json" in line, "voice-keys.json" in line) for line in made] == [
        (True, False),
        (True, True),
    ][:2]
    for name, ring in (("keys.json", "data"), ("voice-keys.json", "voice")):
        text = (elsewhere / "data" / name).read_text()
        secrets = [
            json.loads(text)["index_secret"],
            *(k["secret"] for k in json.loads(text)["keys"].values()),
        ]
        assert not [one for one in secrets if one in caplog.text], ring
