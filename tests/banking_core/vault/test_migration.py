"""A bank from before the vault is sealed by the migration, and nothing readable stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from banking_core.accounts import Account
from banking_core.cards.models import Card
from banking_core.customers import Customer
from banking_core.living.models import BillSubscription
from banking_core.orders.models import Order
from banking_core.storage import Database
from banking_core.transfers.models import Payee
from banking_core.vault import Vault, VaultMissing, sealed_attributes
from bot.conversation.models import Conversation, Message
from desk.models import Ticket
from migrations import upgrade
from migrations.runner import downgrade
from tests import keys
from tests.banking_core.stored import stored_bytes

BEFORE = "0012"
AT = "2024-01-02 03:04:05.000000"
CUSTOMER, ACCOUNT = "c" * 32, "a" * 32
ROWS: dict[str, dict[str, Any]] = {
    "customer": {
        "id": CUSTOMER,
        "phone": "13800000004",
        "name": "欧阳建国",
        "id_number": "11010119900307123X",
        "birth_date": "1990-03-07",
        "level": "gold",
        "segment": "",
        "status": "active",
        "created_at": AT,
    },
    "ledger_account": {
        "id": 1,
        "code": "customer:6299880000000000017",
        "name": "活期账户",
        "kind": "customer",
        "currency": "CNY",
        "normal_side": "credit",
        "floor_fen": 0,
        "balance_fen": 0,
        "purpose": "deposit",
    },
    "account": {
        "id": ACCOUNT,
        "customer_id": CUSTOMER,
        "ledger_account_id": 1,
        "number": "6299880000000000017",
        "kind": "current",
        "name": "活期账户",
        "currency": "CNY",
        "status": "active",
        "is_default": True,
        "opened_on": "2024-01-02",
    },
    "card": {
        "id": "d" * 32,
        "customer_id": CUSTOMER,
        "account_id": ACCOUNT,
        "number": "6299880000000000017",
        "kind": "debit",
        "name": "掌柜借记卡",
        "status": "active",
        "issued_on": "2024-01-02",
        "expires_on": "2034-01-02",
        "created_at": AT,
    },
    "payee": {
        "id": "e" * 32,
        "customer_id": CUSTOMER,
        "name": "司马明月",
        "nickname": "房东太太",
        "account_number": "6222020200112233445",
        "bank_code": "ICBC",
        "bank_name": "工商银行",
        "created_at": AT,
    },
    "bill_subscription": {
        "id": "f" * 32,
        "customer_id": CUSTOMER,
        "biller": "water",
        "provider_name": "浦东自来水",
        "account_no": "8800776655",
        "address": "浦东新区**路**号6栋",
        "created_at": AT,
    },
}
ORDER, TALK = "1" * 32, "2" * 32
ROWS |= {
    "bank_order": {
        "id": ORDER,
        "number": "ZG2024010200000018",
        "kind": "transfer",
        "customer_id": CUSTOMER,
        "status": "confirmed",
        "body": {"payee_name": "司马明月", "payee_account_number": "6222020200112233445"},
        "amount_fen": 100,
        "fee_fen": 0,
        "facts": [["收款人", "*马明月"], ["充值号码", "139 1234 5678"]],
        "receipt_facts": [],
        "step_up": "otp",
        "idempotency_key": "k",
        "body_hash": "0" * 64,
        "channel": "web",
        "settle_attempts": 0,
        "created_at": AT,
        "expires_at": AT,
    },
    "order_event": {
        "id": 1,
        "order_id": ORDER,
        "sequence": 1,
        "to_status": "drafted",
        "at": AT,
        "actor_kind": "customer",
        "actor_id": CUSTOMER,
        "channel": "web",
        "reason": "",
    },
    "conversation": {
        "id": TALK,
        "channel": "web",
        "customer_id": CUSTOMER,
        "owner": "bot",
        "state": {"stack": ["给司马明月转账"]},
        "challenge": {"ref": "13800000004"},
        "next_seq": 2,
        "can_rate": False,
        "rating_comment": "小王很耐心",
        "created_at": AT,
        "updated_at": AT,
    },
    "message": {
        "id": "3" * 32,
        "conversation_id": TALK,
        "seq": 1,
        "sender": "customer",
        "sender_name": "我",
        "text": "我的手机号是13800000004",
        "card": {"title": "给司马明月转账"},
        "choices": ["好的呀"],
        "created_at": AT,
    },
    "desk_tickets": {
        "id": "4" * 32,
        "number": "GD20240102000001",
        "conversation_id": TALK,
        "customer_id": CUSTOMER,
        "phone": "13800000004",
        "content": "请回电谈贷款",
        "status": "open",
        "created_at": AT,
        "promised_at": AT,
    },
}
PLAIN = (
    *("13800000004", "欧阳建国", "11010119900307123X", "1990-03-07", "6299880000000000017"),
    *("司马明月", "房东太太", "6222020200112233445", "8800776655", "浦东新区**路**号6栋"),
    *("139 1234 5678", "小王很耐心", "好的呀", "请回电谈贷款"),
)
MODELS = (Customer, Account, Card, Payee, BillSubscription, Order, Conversation, Message, Ticket)


def literal(value: Any) -> str:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return str(value).upper() if isinstance(value, bool | int) else f"'{value}'"


async def fill(url: str) -> None:
    """A bank as it was."""
    await upgrade(url, BEFORE)
    database = Database(url)
    async with database.engine.begin() as connection:
        for table, row in ROWS.items():
            values = ", ".join(map(literal, row.values()))
            await connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"))
    await database.close()


def plain(value: Any) -> str:
    """A cell as text; JSON however it was written."""
    is_json = isinstance(value, str) and value.startswith(("[", "{"))
    return str(json.loads(value) if is_json else value)


async def texts(url: str) -> list[str]:
    """Every row of the tables concerned, as text, whatever the order of the columns."""
    database = Database(url)
    found = []
    async with database.snapshot() as session:
        for table in ROWS:
            rows = await session.execute(text(f"SELECT * FROM {table}"))
            found += [str(sorted((name, plain(v)) for name, v in row.items())) for row in rows.mappings()]
    await database.close()
    return found


async def test_what_was_there_is_sealed_and_reads_as_before(database_url: str, vault: Vault) -> None:
    await fill(database_url)
    await upgrade(database_url, vault=vault)
    stored = "\n".join(await texts(database_url))
    assert "掌柜借记卡" in stored and [value for value in PLAIN if value in stored] == []
    database = Database(database_url, vault=vault)
    async with database.snapshot() as session:
        for model in MODELS:
            row = await session.get_one(model, ROWS[model.__tablename__]["id"])
            for attribute in sealed_attributes(model):
                assert getattr(row, attribute.name) == ROWS[model.__tablename__].get(attribute.name)
        codes = await session.scalars(text("SELECT code FROM ledger_account"))
        assert codes.all() == [f"customer:{ACCOUNT}"]
    with pytest.raises(Exception, match="immutable"):
        async with database.transaction() as session:
            await session.execute(text("UPDATE ledger_account SET code = 'x'"))
    await database.close()


async def test_it_can_be_taken_back(database_url: str, vault: Vault) -> None:
    await fill(database_url)
    before = await texts(database_url)
    await upgrade(database_url, vault=vault)
    await downgrade(database_url, BEFORE, vault=vault)
    keyed = vault.index("bank_order", "body_hash", "0" * 64)
    assert [row.replace(keyed, "0" * 64) for row in await texts(database_url)] == before


async def test_without_keys_nothing_is_changed(database_url: str) -> None:
    await fill(database_url)
    before = await texts(database_url)
    with pytest.raises(VaultMissing):
        await upgrade(database_url)
    assert await texts(database_url) == before
    with pytest.raises(VaultMissing):
        await downgrade_of_a_sealed_bank(database_url)


async def downgrade_of_a_sealed_bank(url: str) -> None:
    await upgrade(url, vault=keys.vault())
    await downgrade(url, BEFORE)


async def test_the_files_keep_no_trace_of_what_was_in_the_clear(
    database_url: str, tmp_path: Path, vault: Vault
) -> None:
    await fill(database_url)
    raw = await stored_bytes(database_url, tmp_path)
    assert all(value.encode() in raw for value in PLAIN if "-" not in value)
    await upgrade(database_url, vault=vault)
    raw = await stored_bytes(database_url, tmp_path)
    assert "掌柜借记卡".encode() in raw
    assert [value for value in PLAIN if value.encode() in raw] == []
