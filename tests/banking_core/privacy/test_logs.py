from __future__ import annotations

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banking_core.customers import Customer
from banking_core.customers.id_numbers import complete_id_number
from banking_core.identity import Origin
from banking_core.privacy import mask_log_text, mask_logs
from banking_core.transfers.models import Payee
from bot.cli.logs import start_logging
from desk.models import Ticket

ID_NUMBER = complete_id_number("11010119900307123")
SECRETS = ("13812341234", ID_NUMBER, "6222021234567890123", "6222 0212 3456 7890", "138-1234-1234")


@pytest.mark.parametrize("secret", SECRETS)
def test_no_number_of_a_person_leaves_through_the_log_not_even_in_a_traceback(secret: str) -> None:
    stream = io.StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(stream))
    mask_logs(logger)
    mask_logs(logger)
    logger.warning("客户%s来了", secret)
    try:
        raise ValueError(f"bad value {secret!r}")
    except ValueError:
        logger.exception("failed")
    written = stream.getvalue()
    assert secret not in written
    assert "ValueError" in written and written.count("****" + secret[-4:]) >= 2


@pytest.mark.parametrize(
    "line",
    ["3 in 250 ms", "2026-11-02 10:00:00,123 INFO", "id 4f1381234123400000000000000000ab", "¥1,234.50"],
)
def test_what_is_nobody_s_number_stays_readable(line: str) -> None:
    assert mask_log_text(line) == line


@given(st.text(max_size=50), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(max_size=50))
def test_a_phone_number_is_found_between_any_words(before: str, phone: str, after: str) -> None:
    assert phone not in mask_log_text(f"{before} {phone}，{after}".replace(before + phone, ""))


def test_the_log_of_the_product_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    try:
        start_logging("INFO")
        logging.getLogger("anything").info("code for 13812341234")
    finally:
        root.handlers = handlers
        root.setLevel(level)
    assert "code for ****1234" in capsys.readouterr().err


def test_rows_with_personal_data_are_masked_when_printed() -> None:
    customer = Customer(id="c1", phone="13812341234", name="王小明", id_number=ID_NUMBER)
    payee = Payee(name="王小明", account_number="6222021234567890123")
    ticket = Ticket(number="T1", phone="13812341234")
    shown = repr([customer, payee, ticket, Origin(address="203.0.113.77")])
    assert "138****1234" in shown and "c1" in shown
    assert not any(
        plain in shown for plain in ("13812341234", "王小明", ID_NUMBER, "1990", "6222021", "113.77")
    )
