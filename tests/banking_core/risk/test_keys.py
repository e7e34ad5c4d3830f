"""Fingerprints: the same for the same thing, and nothing to be guessed back without the bank's key."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.risk.keys import KEY_CHARS, Keys
from banking_core.risk.payees import NOBODY, PaidTo, paid_to
from tests.keys import vault

KEYS = Keys(vault())


def test_an_address_becomes_its_network() -> None:
    assert KEYS.network("10.1.2.3") == KEYS.network("10.1.2.99") != KEYS.network("10.1.3.3")
    assert KEYS.network("2001:db8:1::1") == KEYS.network("2001:db8:1:ffff::2")
    assert KEYS.network("nonsense") == KEYS.network(None) == KEYS.network("1" * 100) == ""


def test_kinds_and_parts_do_not_run_into_each_other() -> None:
    assert KEYS.account("1234567890", "ICBC") != KEYS.account("1234567890ICBC", None)
    assert KEYS.text("device", "x") != KEYS.text("place", "x") != KEYS.name("x")


def test_without_the_key_a_fingerprint_cannot_be_made() -> None:
    other = Keys(vault())
    assert KEYS.name("张伟") != other.name("张伟")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "transfer",
            {"payee_account_number": "6222020200112233445", "payee_bank_code": "ICBC", "payee_name": "王"},
        ),
        ("payee_add", {"account_number": "6222020200112233445", "bank_code": "ICBC", "name": "王"}),
    ],
)
def test_the_payee_of_a_transfer_is_the_one_that_was_added(kind: str, body: dict[str, str]) -> None:
    found = paid_to(kind, body, KEYS)
    assert found == PaidTo(
        KEYS.account("6222020200112233445", "ICBC"), KEYS.name("王"), "6222020200112233445", "ICBC"
    )
    assert len(found.key) == len(found.name_key) == KEY_CHARS


def test_household_and_phone_are_payees_too() -> None:
    bill = paid_to("bill_pay", {"biller": "water", "account_no": "1"}, KEYS)
    topup = paid_to("topup", {"phone": "13800000001"}, KEYS)
    assert bill.key and topup.key and bill.key != topup.key
    assert paid_to("security_lock", {}, KEYS) == paid_to("transfer", {}, KEYS) == NOBODY


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=300) | st.integers() | st.none())
def test_whatever_a_caller_sends_is_a_fingerprint_or_unknown(value: object) -> None:
    for found in (KEYS.text("device", value), KEYS.network(value)):
        assert len(found) in (0, KEY_CHARS)
