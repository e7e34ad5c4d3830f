"""`zhanggui customers`: an operator hands somebody their data, or lets them go."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from banking_core.bank import build_bank
from banking_core.clock import SystemClock
from banking_core.customers.id_numbers import complete_id_number
from banking_core.ledger import EntryDraft, InternalAccount
from banking_core.storage import Database
from bot.cli.main import cli
from bot.settings import Settings, load_settings
from migrations import upgrade

PHONE = "13800000004"


@pytest.fixture
async def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A bank with one customer who has one yuan."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ZHANGGUI_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZHANGGUI_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings()
    await upgrade(settings.database_url)
    await book(settings, 100)
    return settings


async def book(settings: Settings, amount_fen: int) -> None:
    """Pays in, the first time for a new customer; a negative amount pays out."""
    database = Database(settings.database_url, vault=settings.open_vault())
    bank = build_bank(settings.bank_settings(), SystemClock())
    await bank.start(database)
    async with database.transaction() as session:
        customer = await bank.customers.by_phone(session, PHONE)
        if customer is None:
            customer = await bank.customers.create(
                session, phone=PHONE, name="张伟", id_number=complete_id_number("11010119900307004")
            )
            await bank.accounts.open(
                session, customer_id=customer.id, kind="current", name="活期账户", opened_on=date(2024, 1, 2)
            )
        (account,) = await bank.accounts.list_for(session, customer.id)
        outside = await bank.ledger.internal(session, InternalAccount.OUTSIDE_WORLD)
        entries = [
            EntryDraft(account.ledger_account_id, amount_fen, "本人", "other", "柜台"),
            EntryDraft(outside, -amount_fen, "现金", "other", "柜台"),
        ]
        await bank.ledger.post(session, key=f"cash:{amount_fen}", kind="cash", entries=entries, memo="cash")
    await bank.close()
    await database.close()


async def command(*arguments: str, typed: str = "") -> tuple[int, str]:
    """Runs it in a thread: it has an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, cli, arguments, input=typed)
    return done.exit_code, done.output


async def test_a_copy_is_written_for_its_owner_s_eyes_and_overwrites_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "copy.json"
    code, shown = await command("customers", "export", PHONE, "--out", str(path))
    assert code == 0 and "张伟" not in shown
    assert path.stat().st_mode & 0o777 == 0o600
    copy = json.loads(path.read_text(encoding="utf-8"))
    assert (copy["基本资料"][0]["手机号"], copy["交易明细"][0]["余额"]) == (PHONE, "¥1.00")
    code, shown = await command("customers", "export", PHONE, "--out", str(path))
    assert code == 1 and "没有覆盖" in shown
    _, trail = await command("audit", "--json")
    actions = [record["action"] for record in json.loads(trail)["records"]]
    assert actions.count("customer.exported") == 1, "the copy that was not made is not in the trail"


async def test_an_erasure_is_asked_for_twice_refused_with_money_and_final(settings: Settings) -> None:
    code, shown = await command("customers", "erase", PHONE, typed="n\n")
    assert code == 1 and "不能恢复" in shown
    code, shown = await command("customers", "erase", PHONE, "--yes")
    assert code == 1 and "余额" in shown
    await book(settings, -100)
    code, shown = await command("customers", "erase", PHONE, typed="y\n")
    assert code == 0 and "已注销" in shown
    code, shown = await command("customers", "erase", PHONE, "--yes")
    assert code == 2 and "customer_not_found" in shown
    _, trail = await command("audit", "--json")
    newest = json.loads(trail)["records"][0]
    assert (newest["action"], newest["actor_kind"], newest["channel"]) == (
        "customer.erased",
        "operator",
        "cli",
    )
    assert (await command("ledger", "verify"))[0] == 0
    assert (await command("audit", "verify"))[0] == 0


async def test_an_account_in_a_stranger_s_hands_is_frozen_and_opened_again_on_grounds(
    settings: Settings,
) -> None:
    assert (await command("customers", "freeze", PHONE))[0] == 2
    assert "已锁定" in (await command("customers", "freeze", PHONE, "--reason", "客户来电"))[1]
    assert "安全限制" in (await command("customers", "erase", PHONE, "--yes"))[1]
    assert "已解除：锁定" in (await command("customers", "release", PHONE, "--grounds", "网点验了证件"))[1]
    assert "没有任何限制" in (await command("customers", "release", PHONE, "--grounds", "再次"))[1]
    trail = (await command("audit", "--customer", PHONE, "--json"))[1]
    assert "restriction.laid" in trail and "security.account_frozen" in trail
    assert "restriction.lifted" in trail and "网点验了证件" in trail and "operator" in trail
    assert (await command("customers", "release", "13900000000", "--grounds", "x"))[0] == 2
