"""What the database holds of a person tells nothing without the keys, and cannot be moved to somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ArgumentError

from banking_core.accounts import Account
from banking_core.core import Core
from banking_core.customers import Customer
from banking_core.living.models import BillSubscription
from banking_core.storage import Database
from banking_core.transfers.models import Payee
from banking_core.vault import SealBroken, Vault, VaultMissing, sealed_attributes
from tests import keys
from tests.banking_core.people import give_card, make_person
from tests.banking_core.stored import stored_bytes

PHONE, NAME = "13800000004", "欧阳建国"


async def fill(database: Database, core: Core) -> list[str]:
    """Rows of every table with sealed columns of this area; returns every value in the clear."""
    async with database.transaction() as session:
        person = await make_person(session, core, NAME, PHONE)
        payee = await core.payees.add(
            session,
            customer_id=person.id,
            name="司马明月",
            nickname="房东太太",
            account_number="6222020200112233445",
            bank_code="ICBC",
        )
        card = await give_card(session, core, person)
        household = BillSubscription(
            customer_id=person.id,
            biller="water",
            provider_name="浦东自来水",
            account_no="8800776655",
            address="浦东新区**路**号6栋",
            created_at=core.clock.now(),
        )
        session.add(household)
        await session.flush()
        assert (card.number, household.account_no) == (person.account.number, "8800776655")
        rows = (person.customer, person.account, payee, card, household)
        return [str(getattr(row, a.name)) for row in rows for a in sealed_attributes(type(row))]


async def dump(database: Database) -> str:
    """Every cell of every table of the bank."""
    async with database.snapshot() as session:
        catalogue = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            if database.is_sqlite
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        tables = list(await session.scalars(text(catalogue)))
        cells: list[str] = []
        for table in tables:
            cells += (str(tuple(row)) for row in await session.execute(text(f"SELECT * FROM {table}")))
        return "\n".join(cells)


async def test_no_cell_of_the_database_holds_a_person_s_data_in_the_clear(
    database: Database, core: Core
) -> None:
    plain = await fill(database, core)
    assert len(plain) == 10 and PHONE in plain and NAME in plain
    everything = await dump(database)
    assert "掌柜借记卡" in everything
    assert [value for value in plain if value in everything] == []


async def test_no_byte_of_the_files_holds_it_either(
    database: Database, core: Core, database_url: str, tmp_path: Path
) -> None:
    plain = await fill(database, core)
    await database.close()
    raw = await stored_bytes(database_url, tmp_path)
    assert "掌柜借记卡".encode() in raw
    assert [value for value in plain if value.encode() in raw] == []


async def test_rows_read_as_if_nothing_was_sealed_also_after_their_session(
    database: Database, core: Core
) -> None:
    await fill(database, core)
    async with database.snapshot() as session:
        customer = await core.customers.by_phone(session, PHONE)
        assert customer is not None
        (account,) = await core.accounts.list_for(session, customer.id)
        by_nickname = await core.payees.find(session, customer.id, "房东太太")
        by_name = await core.payees.find(session, customer.id, "司马明月")
        assert await core.payees.by_account(session, customer.id, "6222020200112233445", "ICBC")
        assert not await core.payees.by_account(session, customer.id, "6222020200112233446", "ICBC")
        assert await core.accounts.by_number(session, account.number) is account
    assert (customer.name, customer.birth_date.year) == (NAME, 1990)
    assert [payee.account_number for payee in (*by_name, *by_nickname)] == ["6222020200112233445"] * 2


async def test_a_change_of_a_sealed_value_is_written_with_its_index(database: Database, core: Core) -> None:
    await fill(database, core)
    async with database.transaction() as session:
        customer = await core.customers.by_phone(session, PHONE)
        assert customer is not None
        customer.phone, customer.name = "13900000009", "欧阳建军"
    async with database.snapshot() as session:
        assert await core.customers.by_phone(session, PHONE) is None
        found = await core.customers.by_phone(session, "13900000009")
        assert found is not None and found.name == "欧阳建军"


async def test_a_value_moved_to_another_row_is_refused(database: Database, core: Core) -> None:
    async with database.transaction() as session:
        rich = await make_person(session, core, "张伟", "13800000001")
        poor = await make_person(session, core, "王芳", "13800000002")
        await session.execute(
            update(Account)
            .where(Account.id == poor.account.id)
            .values(number_sealed=rich.account.number_sealed)
        )
        await session.execute(
            update(Customer)
            .where(Customer.id == poor.id)
            .values(name_sealed=rich.customer.name_sealed, id_number_sealed=poor.customer.phone_sealed)
        )
    async with database.snapshot() as session:
        account = await session.get_one(Account, poor.account.id)
        customer = await session.get_one(Customer, poor.id)
        for row, name in ((account, "number"), (customer, "name"), (customer, "id_number")):
            with pytest.raises(SealBroken, match=row.id):
                getattr(row, name)
        assert repr(customer) == f"Customer(id='{poor.id}', name='?', phone='138****0002')"


async def test_other_keys_open_nothing_and_find_nobody(
    database: Database, core: Core, database_url: str
) -> None:
    await fill(database, core)
    stranger = Database(database_url, vault=keys.vault())
    async with stranger.snapshot() as session:
        assert await core.customers.by_phone(session, PHONE) is None
        (customer,) = await session.scalars(select(Customer))
        with pytest.raises(SealBroken):
            assert customer.name
        assert repr(customer).endswith("name='?', phone='?')")
    with pytest.raises(SealBroken):
        await core.start(stranger)
    await stranger.close()


async def test_a_database_without_a_vault_neither_reads_nor_writes_sealed_columns(
    database: Database, core: Core, database_url: str
) -> None:
    await fill(database, core)
    blind = Database(database_url)
    async with blind.snapshot() as session:
        (customer,) = await session.scalars(select(Customer))
        with pytest.raises(VaultMissing):
            assert customer.name
        with pytest.raises(VaultMissing):
            await core.customers.by_phone(session, PHONE)
    with pytest.raises(VaultMissing):
        async with blind.transaction() as session:
            session.add(Payee(customer_id=customer.id, name="x", nickname="", account_number="1"))
            await session.flush()
    await blind.close()


async def test_a_sealed_attribute_in_a_query_is_a_mistake_that_shows_at_once(vault: Vault) -> None:
    with pytest.raises(ArgumentError):
        select(Customer.name)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="equals"):
        select(Customer).where(Customer.phone == PHONE)
    with pytest.raises(AssertionError, match="blind index"):
        Customer.name.equals(None, "x")  # type: ignore[arg-type]
