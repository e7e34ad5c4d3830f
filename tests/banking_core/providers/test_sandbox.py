from __future__ import annotations

import asyncio
import dataclasses
import threading
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from banking_core.clock import ManualClock
from banking_core.customers.id_numbers import complete_id_number
from banking_core.providers import (
    BillingSandbox,
    ClearingSandbox,
    InterbankPayment,
    ProviderBill,
    ProviderKeyConflict,
    Providers,
    TopupSandbox,
    UnknownProvider,
    build_providers,
)
from banking_core.settings import BankSettings
from banking_core.storage import Database
from tests.banking_core.stored import stored_bytes

PHONE = "13812341234"
NO_DATABASE = BankSettings("", "", b"a server key used by tests only!")
PAYMENT = InterbankPayment("张伟", "6299880000000000001", "王小明", "6222020200112233445", "ICBC", 100_00, "")


@pytest.fixture
def settings(settings: BankSettings) -> BankSettings:
    """The sandbox parties' store is on the engine of the test; the bank's own database is not used here."""
    return dataclasses.replace(settings, sandbox_database_url=settings.database_url)


@pytest.fixture
async def providers(settings: BankSettings, clock: ManualClock) -> Providers:
    providers = build_providers(settings, clock)
    await providers.start()
    return providers


async def reopened(providers: Providers, settings: BankSettings, clock: ManualClock) -> Providers:
    await providers.close()
    return build_providers(settings, clock)


async def test_a_key_sent_many_times_at_once_has_one_effect(providers: Providers) -> None:
    topup = providers.topup
    assert isinstance(topup, TopupSandbox)
    results = await asyncio.gather(*(topup.topup(key="k", phone=PHONE, amount_fen=50_00) for _ in range(5)))
    assert {result.ok for result in results} == {True}
    assert len({result.reference for result in results}) == 1
    assert await topup.credited_fen(PHONE) == 50_00
    await providers.close()


async def test_an_answer_survives_a_restart(
    providers: Providers, settings: BankSettings, clock: ManualClock
) -> None:
    first = await providers.clearing.submit(key="k", payment=PAYMENT)
    again = await reopened(providers, settings, clock)
    assert await again.clearing.submit(key="k", payment=PAYMENT) == first
    assert isinstance(again.clearing, ClearingSandbox)
    assert await again.clearing.received(PAYMENT.payee_account_number) == (1, 100_00)
    await again.close()


async def test_a_key_with_another_request_is_a_conflict(providers: Providers) -> None:
    await providers.clearing.submit(key="k", payment=PAYMENT)
    with pytest.raises(ProviderKeyConflict):
        await providers.clearing.submit(key="k", payment=dataclasses.replace(PAYMENT, amount_fen=1))
    await providers.close()


async def test_one_key_at_two_providers_is_two_requests(providers: Providers) -> None:
    assert (await providers.clearing.submit(key="k", payment=PAYMENT)).ok
    assert (await providers.topup.topup(key="k", phone=PHONE, amount_fen=1)).ok
    await providers.close()


async def test_a_closed_account_and_a_switched_off_number_are_refused_again_and_again(
    providers: Providers,
) -> None:
    closed = dataclasses.replace(PAYMENT, payee_account_number="6222020200110000")
    for _ in range(2):
        assert (
            await providers.clearing.submit(key="c", payment=closed)
        ).failure_code == "payee_account_closed"
        off = await providers.topup.topup(key="t", phone="13800000000", amount_fen=1)
        assert (off.ok, off.failure_code) == (False, "number_switched_off")
    unknown = await providers.topup.topup(key="u", phone="11000000001", amount_fen=1)
    assert unknown.failure_code == "number_unknown"
    await providers.close()


@pytest.mark.parametrize(
    ("phone", "carrier"),
    [
        ("13812341234", "中国移动"),
        ("13492341234", "中国电信"),
        ("13482341234", "中国移动"),
        ("18612341234", "中国联通"),
        ("19212341234", "中国广电"),
        ("12012341234", None),
        ("1381234123", None),
    ],
)
async def test_a_phone_number_names_its_carrier(
    providers: Providers, phone: str, carrier: str | None
) -> None:
    assert await providers.topup.carrier(phone) == carrier
    await providers.close()


async def issue(providers: Providers, month: int = 10, amount_fen: int = 120_50) -> ProviderBill:
    assert providers.sandbox_billing is not None
    return await providers.sandbox_billing.issue(
        biller="electricity",
        provider_name="上海电力",
        account_no="3100123456",
        period=date(2026, month, 15),
        amount_fen=amount_fen,
        due_on=date(2026, month, 28),
    )


async def test_a_bill_is_paid_once_and_stays_paid(
    providers: Providers, settings: BankSettings, clock: ManualClock
) -> None:
    bill = await issue(providers)
    assert bill.period == date(2026, 10, 1)
    assert await issue(providers, amount_fen=1) == bill
    paid = await providers.billing.pay(key="k", bill_id=bill.id, amount_fen=bill.amount_fen)
    assert paid.ok
    again = await reopened(providers, settings, clock)
    assert await again.billing.pay(key="k", bill_id=bill.id, amount_fen=bill.amount_fen) == paid
    other = await again.billing.pay(key="k2", bill_id=bill.id, amount_fen=bill.amount_fen)
    assert (other.ok, other.failure_code) == (False, "bill_paid")
    stored = await again.billing.bill(bill.id)
    assert stored is not None
    assert stored.status == "paid"
    await again.close()


async def test_bills_are_listed_newest_first(providers: Providers) -> None:
    for month in (8, 10, 9):
        await issue(providers, month)
    bills = await providers.billing.bills(biller="electricity", account_no="3100123456")
    assert [bill.period.month for bill in bills] == [10, 9, 8]
    assert await providers.billing.bills(biller="water", account_no="3100123456") == []
    assert await providers.billing.bill("unknown") is None
    await providers.close()


async def test_a_payment_that_does_not_fit_its_bill_is_refused(providers: Providers) -> None:
    bill = await issue(providers)
    wrong = await providers.billing.pay(key="a", bill_id=bill.id, amount_fen=bill.amount_fen - 1)
    unknown = await providers.billing.pay(key="b", bill_id="none", amount_fen=1)
    assert (wrong.failure_code, unknown.failure_code) == ("amount_differs", "bill_unknown")
    await providers.close()


async def test_the_developers_page_sees_the_newest_messages_first(
    providers: Providers, clock: ManualClock
) -> None:
    assert providers.sandbox_sms is not None
    for index in range(3):
        clock.advance(seconds=1)
        await providers.sms.send(key=f"k{index}", phone=f"1380000000{index}", text=f"第{index}条")
    await providers.sms.send(key="k2", phone="13800000002", text="第2条")
    assert [sms.text for sms in await providers.sandbox_sms.recent()] == ["第2条", "第1条", "第0条"]
    assert [sms.text for sms in await providers.sandbox_sms.recent(phone="13800000001")] == ["第1条"]
    assert (await providers.sandbox_sms.recent(1))[0].sent_at == clock.now()
    await providers.close()


async def test_stores_started_by_several_processes_at_once_all_open(
    settings: BankSettings, clock: ManualClock
) -> None:
    many = [build_providers(settings, clock) for _ in range(4)]
    await asyncio.gather(*(providers.start() for providers in many))
    await asyncio.gather(*(providers.start() for providers in many))
    await many[0].sms.send(key="k", phone=PHONE, text="x")
    assert many[3].sandbox_sms is not None
    assert len(await many[3].sandbox_sms.recent()) == 1
    for providers in many:
        await providers.close()


def test_an_unknown_provider_shows_at_start(clock: ManualClock) -> None:
    with pytest.raises(UnknownProvider, match="carrier_pigeon"):
        build_providers(dataclasses.replace(NO_DATABASE, sms_provider="carrier_pigeon"), clock)


def test_sandbox_tools_are_absent_when_a_real_provider_is_used(clock: ManualClock) -> None:
    providers = build_providers(NO_DATABASE, clock)
    real = dataclasses.replace(providers, sms=object(), billing=object())  # type: ignore[arg-type]
    assert (real.sandbox_sms, real.sandbox_billing) == (None, None)
    assert isinstance(providers.sandbox_billing, BillingSandbox)


async def test_no_sandbox_store_is_made_for_a_bank_that_uses_real_parties(
    settings: BankSettings, clock: ManualClock
) -> None:
    providers = build_providers(settings, clock)
    real = dataclasses.replace(
        providers,
        sms=object(),  # type: ignore[arg-type]
        billing=object(),  # type: ignore[arg-type]
        topup=object(),  # type: ignore[arg-type]
        clearing=object(),  # type: ignore[arg-type]
        realname=object(),  # type: ignore[arg-type]
    )
    await real.start()
    await real.close()
    database = Database(settings.sandbox_database_url)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == []
    await database.close()


async def test_a_store_that_cannot_be_opened_says_so(settings: BankSettings, clock: ManualClock) -> None:
    url = make_url(settings.sandbox_database_url)
    nowhere = dataclasses.replace(
        settings, sandbox_database_url=url.set(database="/no/such/place").render_as_string(False)
    )
    before = set(threading.enumerate())
    with pytest.raises(DBAPIError):
        await build_providers(nowhere, clock).start()
    for thread in set(threading.enumerate()) - before:
        # The driver's thread reports to this loop: let it, before it is closed.
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)


async def test_the_register_of_residents_remembers_whose_number_is_whose(
    settings: BankSettings, clock: ManualClock, tmp_path: Path
) -> None:
    number = complete_id_number("11010119900307123")
    nobody = complete_id_number("11010119900307000")
    for asked, name, id_number, answer in (
        ("1", "王小明", number, "match"),
        ("2", "王小明", number.lower(), "match"),
        ("3", "王大明", number, "mismatch"),
        ("3", "王大明", number, "mismatch"),
        ("4", "王小明", number[:-1] + ("1" if number[-1] != "1" else "2"), "unknown"),
        ("5", "王小明", nobody, "unknown"),
        ("6", "", "", "unknown"),
    ):
        providers = build_providers(settings, clock)  # as after a restart
        assert await providers.realname.check(key=asked, name=name, id_number=id_number) == answer
        await providers.close()
    database = Database(settings.sandbox_database_url)
    async with database.snapshot() as session:
        fingerprints = await session.scalars(text("SELECT number FROM sandbox_residents"))
        (fingerprint, *_) = fingerprints.all()
    await database.close()
    raw = await stored_bytes(settings.sandbox_database_url, tmp_path)
    assert fingerprint.encode() in raw
    assert number.encode() not in raw and "王小明".encode() not in raw
