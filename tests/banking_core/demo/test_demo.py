"""The demo bank: believable, balanced, the same every time, and made only once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from banking_core.accounts.numbers import is_valid_number
from banking_core.bank import Bank, build_bank
from banking_core.clock import ManualClock
from banking_core.demo import SeedReport, demo_logins, seed_demo
from banking_core.demo.schema import read_cast, read_market
from banking_core.demo.simulation import Movement, simulate
from banking_core.settings import BankSettings
from banking_core.statements import CATEGORY_NAMES
from banking_core.storage import Base, Database
from tests import keys

TODAY = date(2026, 11, 24)
VAULT = keys.vault()
OCTOBER = {"start": date(2026, 10, 1), "end": date(2026, 10, 31)}


class Demo:
    """A seeded bank, opened by each test for itself."""

    def __init__(self, url: str, sandbox_url: str) -> None:
        settings = BankSettings(url, sandbox_url, b"a server key used by tests only!")
        self.clock = ManualClock(datetime(2026, 11, 24, 4, 0, tzinfo=UTC))
        self.bank: Bank = build_bank(settings, self.clock)
        self.db = Database(url, vault=VAULT)

    async def seed(self, today: date = TODAY) -> SeedReport:
        async with self.db.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await self.bank.start(self.db)
        return await seed_demo(self.db, self.bank, today)

    async def close(self) -> None:
        await self.bank.close()
        await self.db.close()


@pytest.fixture(scope="module")
def shared_sandbox_url(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the outside parties of that bank keep what they know."""
    return f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('parties') / 'sandbox.db'}"


@pytest.fixture
async def demo(shared_database_url: str, shared_sandbox_url: str) -> AsyncIterator[Demo]:
    """Seeded by the first test that asks for it, then shared, read only."""
    demo = Demo(shared_database_url, shared_sandbox_url)
    await demo.seed()
    yield demo
    await demo.close()


async def id_of(demo: Demo, phone: str) -> str:
    async with demo.db.snapshot() as session:
        customer = await demo.bank.customers.by_phone(session, phone)
        assert customer is not None
        return customer.id


@pytest.fixture(scope="module")
def movements() -> list[Movement]:
    return simulate(read_cast(), read_market(), TODAY)


async def test_a_second_seed_does_nothing_even_on_another_day(demo: Demo) -> None:
    async with demo.db.snapshot() as session:
        before = await demo.bank.ledger.verify(session)
    report = await demo.seed(TODAY + timedelta(days=40))
    assert report == SeedReport(created=False)
    async with demo.db.snapshot() as session:
        assert await demo.bank.ledger.verify(session) == before


async def test_the_seeded_ledger_proves_itself(demo: Demo) -> None:
    async with demo.db.snapshot() as session:
        report = await demo.bank.ledger.verify(session)
    assert report.ok
    assert 10_000 < report.transaction_count < 20_000


async def test_everybody_has_the_balance_they_are_known_for(demo: Demo) -> None:
    for phone, low_fen, high_fen in (
        ("13800000004", 86_000_00, 87_000_00),
        ("13800000001", 1_800_00, 1_900_00),
        ("13800000002", 23_000_00, 24_000_00),
    ):
        customer_id = await id_of(demo, phone)
        async with demo.db.snapshot() as session:
            first, *_ = await demo.bank.accounts.balances(session, customer_id)
            assert first.account.is_default
        assert low_fen <= first.balance_fen <= high_fen


@pytest.mark.parametrize("phone", [login.phone for login in demo_logins()])
async def test_every_login_opens_a_whole_banking_life(demo: Demo, phone: str) -> None:
    login = next(login for login in demo_logins() if login.phone == phone)
    async with demo.db.transaction() as session:
        outcome = await demo.bank.identity.passwords.verify(session, phone, login.password)
        assert outcome.kind == "ok"
        assert outcome.customer_id is not None
        customer_id = outcome.customer_id
        accounts = await demo.bank.accounts.list_for(session, customer_id)
        assert all(is_valid_number(account.number) for account in accounts)
        assert len({account.tail for account in accounts}) == len(accounts)
        cards = await demo.bank.cards.list_for(session, customer_id)
        assert cards[0].kind == "debit"
        assert cards[0].number == accounts[0].number
        assert all(card.issued_on <= TODAY < card.expires_on for card in cards)
        assert 3 <= len(await demo.bank.payees.list(session, customer_id)) <= 6
        bills = await demo.bank.living.bills(session, customer_id)
        assert "unpaid" in {bill.status for bill in bills}
        year = await demo.bank.statements.search(
            session, customer_id, start=date(2024, 11, 24), end=date(2025, 11, 23)
        )
        assert year.total_count > 300
        for words in ("工资" if login.name not in ("赵桂兰", "陈国强") else "养老金 收款码", "电费", "话费"):
            page = await demo.bank.statements.search(
                session, customer_id, words=words, start=date(2026, 8, 1), end=TODAY
            )
            assert page.total_count > 0, words


async def test_the_questions_a_statement_must_answer_have_answers(demo: Demo) -> None:
    wei = await id_of(demo, "13800000004")
    async with demo.db.snapshot() as session:
        search = demo.bank.statements.search
        utilities = await search(session, wei, words="水电费", **OCTOBER)
        assert {row.summary for row in utilities.rows} == {"水费", "电费"}
        salary = await search(session, wei, words="工资", **OCTOBER)
        assert salary.total_count == 1
        assert salary.total_in_fen % 100 != 0, "nobody earns a round amount after tax"
        rent = await search(session, wei, words="房租", **OCTOBER)
        assert [(row.counterparty_name, row.amount_fen) for row in rent.rows] == [("周建军", -6_800_00)]
        online = await search(session, wei, words="淘宝", start=date(2026, 11, 1), end=date(2026, 11, 11))
        assert online.total_out_fen > 0
        week = await search(session, wei, direction="out", start=date(2026, 10, 1), end=date(2026, 10, 7))
        assert week.total_count > 10
        assert {"火车票", "住宿", "景区门票"} & {row.summary for row in week.rows}
        interest = await search(session, wei, category="interest", start=date(2026, 9, 1), end=TODAY)
        assert interest.total_in_fen > 0


async def test_every_kind_of_bill_waits_for_zhang_wei_and_matches_his_past(demo: Demo) -> None:
    wei = await id_of(demo, "13800000004")
    async with demo.db.snapshot() as session:
        bills = await demo.bank.living.bills(session, wei)
        unpaid = {bill.biller for bill in bills if bill.status == "unpaid"}
        assert unpaid == {"water", "electricity", "gas", "property", "cable_tv"}
        assert not any(bill.overdue for bill in bills)
        paid = [bill for bill in bills if bill.status == "paid"]
        booked = await demo.bank.statements.search(
            session, wei, category="utilities", start=date(2026, 5, 1), end=TODAY, limit=500
        )
        assert sorted(bill.amount_fen for bill in paid) == sorted(-row.amount_fen for row in booked.rows)


async def test_the_seeded_payees_can_be_paid(demo: Demo) -> None:
    wei = await id_of(demo, "13800000004")
    async with demo.db.snapshot() as session:
        account = await demo.bank.accounts.default_for(session, wei)
        assert account is not None
        payees = await demo.bank.payees.list(session, wei)
        assert {payee.name for payee in payees} == {"张三", "李四", "王小明", "刘秀英", "周建军"}
        (mother,) = await demo.bank.payees.find(session, wei, "妈妈")
        assert mother.name == "刘秀英"
        for payee in payees:
            body = {
                "from_account_id": account.id,
                "payee_name": payee.name,
                "payee_account_number": payee.account_number,
                "payee_bank_code": payee.bank_code,
                "amount_fen": 100_00,
                "purpose": "",
            }
            order = await demo.bank.orders.draft(
                session,
                customer_id=wei,
                kind="transfer",
                body=body,
                idempotency_key=f"demo:{payee.id}",
                channel="web",
            )
            assert order.status == "drafted"


def test_the_same_day_makes_the_same_history(movements: list[Movement]) -> None:
    assert simulate(read_cast(), read_market(), TODAY) == movements


@pytest.mark.parametrize("today", [TODAY, date(2027, 1, 3), date(2028, 2, 29)])
def test_nobody_is_ever_overdrawn_whatever_the_day(today: date) -> None:
    balances: dict[tuple[str, str], int] = {}
    limits = {
        (person.key, plan.key): plan.limit_yuan * 100
        for person in read_cast().people
        for plan in person.accounts
    }
    for movement in sorted(simulate(read_cast(), read_market(), today), key=lambda movement: movement.at):
        assert sum(leg.amount_fen for leg in movement.legs) == 0
        for leg in movement.legs:
            balances[leg.slot] = balances.get(leg.slot, 0) + leg.amount_fen
            if leg.slot[0]:
                assert balances[leg.slot] >= -limits[leg.slot], (leg.slot, movement.at)


def test_history_is_two_years_of_the_past_in_known_categories(movements: list[Movement]) -> None:
    days = {movement.at.date() for movement in movements}
    assert min(days) == date(2024, 11, 1)
    assert max(days) == TODAY - timedelta(days=1)
    used = {leg.category for movement in movements for leg in movement.legs}
    assert used == set(CATEGORY_NAMES)


def test_salaries_rise_over_the_years(movements: list[Movement]) -> None:
    paid = [
        leg.amount_fen
        for movement in movements
        for leg in movement.legs
        if leg.slot == ("zhangwei", "current") and leg.summary == "工资"
    ]
    assert len(paid) == 24 or len(paid) == 25
    assert paid[-1] > paid[0] * 1.1


def test_logins_are_the_six_named_customers() -> None:
    logins = demo_logins()
    assert [login.name for login in logins] == ["林小满", "赵桂兰", "陈国强", "张伟", "苏晓雯", "李静"]
    assert [login.phone for login in logins] == [f"1380000000{number}" for number in range(1, 7)]
    assert {login.password for login in logins} == {"Zhanggui2026!"}
