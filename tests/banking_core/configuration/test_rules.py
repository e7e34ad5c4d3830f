"""Limits, fees and arrival times as data."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banking_core.clock import BANK_ZONE
from banking_core.configuration import BankCalendar, LimitSubject, Rules, Terms, TermsError
from banking_core.configuration.rules import FOLDER

TERMS = Terms.load()
RULES = Rules.load(TERMS)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BANK_ZONE)


def arrival(yuan: int, when: str, route: str = "interbank") -> str:
    return RULES.arrival(kind="transfer", route=route, amount_fen=yuan * 100, now=at(when)).text  # type: ignore[arg-type]


def limits(**subject: object) -> tuple[int, int, int]:
    asked = {"group": "transfers", "channel": "web", "level": "standard"} | subject
    found = RULES.limits(LimitSubject(**asked))  # type: ignore[arg-type]
    return found.per_transaction_fen, found.per_day_fen, found.per_month_fen


@pytest.mark.parametrize("name", ["limits.yml", "fees.yml", "arrival.yml"])
def test_no_figure_stands_in_a_table_of_rules(name: str) -> None:
    rows = [line.split("#")[0] for line in (FOLDER / name).read_text().splitlines()]
    values = [line.split(":", 1)[1].strip() for line in rows if ":" in line]
    assert values
    for value in values:
        assert not re.search(r"\d", re.sub(r"[a-z]+\.[a-z0-9_]+", "", value)), value


def test_the_words_for_an_arrival_hold_the_figure_the_rule_uses() -> None:
    hours = TERMS.integer("transfers.interbank_arrival_hours")
    assert TERMS.text("transfers.interbank_arrival") == f"{hours}小时内"
    dearer = Terms(dict(zip(TERMS.keys(), map(TERMS.value, TERMS.keys()), strict=True)))
    assert dearer.text("transfers.large_value_hours") == TERMS.text("corporate.large_value_hours")


def test_a_bank_that_changes_a_figure_changes_rule_and_words_together(tmp_path: Path) -> None:
    own = tmp_path / "own.yml"
    own.write_text("transfers:\n  interbank_arrival_hours: 5\n", encoding="utf-8")
    terms = Terms.load(own)
    assert terms.text("transfers.interbank_arrival") == "5小时内"
    found = Rules.load(terms).arrival(
        kind="transfer", route="interbank", amount_fen=10**8, now=at("2026-11-02T10:00")
    )
    assert found.text.startswith("5小时内")


def test_the_first_row_that_names_an_amount_decides_it() -> None:
    fen = TERMS.fen
    standard = tuple(fen(f"transfers.limit_per_{period}_yuan") for period in ("transaction", "day", "month"))
    assert limits() == standard
    assert limits(payee_age_days=400) == standard
    assert limits(payee_age_days=0) == (fen("transfers.new_payee_once_yuan"), *standard[1:])
    assert limits(level="vip") == tuple(
        fen(f"transfers.vip_{period}_yuan") for period in ("once", "day", "month")
    )
    assert limits(level="vip", payee_age_days=0)[0] == fen("transfers.new_payee_once_yuan")
    assert limits(channel="phone")[:2] == (fen("transfers.call_once_yuan"), fen("transfers.call_day_yuan"))
    assert limits(group="living")[2] == fen("living.limit_per_month_yuan")
    with pytest.raises(TermsError, match="no per_transaction limit"):
        limits(group="nothing")


def test_fees_depend_on_route_and_level() -> None:
    def fee(**of: object) -> int:
        return RULES.fee_fen(**({"kind": "transfer", "amount_fen": 100, "level": "standard"} | of))  # type: ignore[arg-type]

    assert fee(route="interbank") == TERMS.fen("transfers.interbank_fee_yuan")
    assert fee(route="same_bank") == TERMS.fen("transfers.same_bank_fee_yuan")
    assert fee(route="interbank", level="vip") == TERMS.fen("transfers.vip_interbank_fee_yuan")
    with pytest.raises(TermsError, match="no fee"):
        fee(kind="magic")


@given(st.integers(min_value=1, max_value=10**13))
def test_a_fee_in_percent_is_rounded_half_up_between_its_bounds(amount_fen: int) -> None:
    rules = Rules(
        Terms.from_mapping({"t": {"p_percent": 0.1, "lo_yuan": 1, "hi_yuan": 50}}),
        RULES.calendar,
        [],
        [type(RULES.fee_rows[0])(kind="t", percent="t.p_percent", min="t.lo_yuan", max="t.hi_yuan")],
        [],
    )
    fee_fen = rules.fee_fen(kind="t", amount_fen=amount_fen, level="standard")
    assert fee_fen == min(max((amount_fen + 500) // 1000, 100), 5000)


def test_arrival_depends_on_amount_hour_and_day() -> None:
    assert arrival(50_000, "2026-10-03T03:00") == TERMS.text("transfers.small_value_arrival")
    assert arrival(1, "2026-10-03T03:00", "same_bank") == TERMS.text("transfers.same_bank_arrival")
    assert arrival(50_001, "2026-11-02T10:00") == "2小时内（11月02日 12:00前）"
    assert arrival(50_001, "2026-11-02T17:15") == "下一个工作日（11月03日 12:00前）"
    assert arrival(50_001, "2026-11-06T20:00") == "下一个工作日（11月09日 12:00前）"
    assert arrival(50_001, "2026-09-30T20:00") == "下一个工作日（10月08日 12:00前）"
    assert arrival(50_001, "2026-10-10T10:00").startswith("2小时内")  # a Saturday that is worked


def test_the_calendar_knows_days_off_and_working_weekends() -> None:
    calendar = RULES.calendar
    assert not calendar.is_working_day(date(2026, 10, 1))
    assert calendar.is_working_day(date(2026, 10, 10))
    assert not calendar.is_working_day(date(2026, 11, 7))
    assert calendar.next_working_day(date(2026, 2, 13)) == date(2026, 2, 14)
    assert calendar.next_working_day(date(2026, 2, 14)) == date(2026, 2, 24)
    assert calendar.provisional_years == {2027}


@given(st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2030, 1, 1)), st.integers(1, 10**13))  # noqa: DTZ001
def test_money_never_arrives_before_it_is_sent(naive: datetime, amount_fen: int) -> None:
    now = naive.replace(tzinfo=UTC)
    found = RULES.arrival(kind="transfer", route="interbank", amount_fen=amount_fen, now=now)
    assert now <= found.at <= now + timedelta(days=14)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("limits.yml", "- {group: transfers}", "row 1"),
        ("limits.yml", "- {group: transfers, per_day: no.such_yuan}", "no.such_yuan"),
        ("limits.yml", "- {group: transfers, per_day: transfers.payee_max}", "not an amount"),
        ("limits.yml", "- {group: transfers, per_day: transfers.vip_day_yuan, colour: red}", "colour"),
        ("fees.yml", "- {kind: transfer}", "row 1"),
        ("arrival.yml", "- {kind: transfer, route: moon, at_once: transfers.next_day_by}", "route"),
        (
            "arrival.yml",
            "- {kind: transfer, route: interbank, days: working, at_once: transfers.next_day_by}",
            "always",
        ),
        ("holidays.yml", "2026: {days_off: [2025-01-01]}", "within 2026"),
        ("holidays.yml", "2026: {days_off: [soon]}", "not a date"),
        ("holidays.yml", "2026: {days_off: [2026-01-01], working: [2026-01-01]}", "both"),
        ("holidays.yml", "- 1", "mapping"),
        ("fees.yml", "{", "cannot read"),
    ],
)
def test_a_wrong_table_is_refused_at_start(tmp_path: Path, name: str, text: str, wrong: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(TermsError, match=wrong):
        Rules.load(TERMS, tmp_path)


def test_a_calendar_of_ones_own_replaces_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "holidays.yml").write_text("2026: {days_off: [2026-11-03]}", encoding="utf-8")
    assert BankCalendar.load(tmp_path / "holidays.yml").next_working_day(date(2026, 11, 2)) == date(
        2026, 11, 4
    )
