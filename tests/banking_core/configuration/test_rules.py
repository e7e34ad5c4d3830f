"""Rules are typed rows; a slip of the pen shows at the start."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from banking_core.configuration import Calendar, Rules, RulesError, Terms, UnknownTerm
from banking_core.configuration.rules import DEFAULT_PATH

TERMS = Terms.load()
CALENDAR = Calendar(Rules.load(TERMS).holidays)


def override(tmp_path: Path, **sections: object) -> Path:
    path = tmp_path / "own.yml"
    path.write_text(yaml.safe_dump(sections, allow_unicode=True), encoding="utf-8")
    return path


def packaged(section: str) -> dict[str, object]:
    content: dict[str, dict[str, object]] = yaml.safe_load(DEFAULT_PATH.read_text(encoding="utf-8"))
    return content[section]


def test_a_banks_own_file_replaces_whole_sections(tmp_path: Path) -> None:
    own = packaged("interest") | {"day_count": 365}
    rules = Rules.load(TERMS, override(tmp_path, interest=own))
    assert rules.interest.day_count == 365
    assert rules.holidays == Rules.load(TERMS).holidays


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"day_count": 364}, "interest.day_count"),
        ({"tea": 1}, "interest.tea"),
        ({"settle_months": []}, "interest.settle_months"),
        ({"settle_months": [13]}, "interest.settle_months.0"),
    ],
)
def test_an_impossible_row_names_its_place(tmp_path: Path, change: dict[str, object], place: str) -> None:
    with pytest.raises(RulesError, match=place):
        Rules.load(TERMS, override(tmp_path, interest=packaged("interest") | change))


def test_an_unknown_section_a_missing_term_and_a_rate_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="tea"):
        Rules.load(TERMS, override(tmp_path, tea={}))
    for key, error in (("deposits.no_percent", UnknownTerm), ("transfers.interbank_fee_yuan", RulesError)):
        rates = [{"account": "current", "begins": date(2020, 1, 1), "rate": key}]
        with pytest.raises(error):
            Rules.load(TERMS, override(tmp_path, interest=packaged("interest") | {"rates": rates}))
    with pytest.raises(RulesError, match="cannot read"):
        Rules.load(TERMS, tmp_path / "nowhere.yml")


def test_a_holiday_of_another_year_is_a_slip(tmp_path: Path) -> None:
    row = {"year": 2027, "days_off": [[date(2026, 1, 1), date(2026, 1, 3)]]}
    with pytest.raises(RulesError, match=r"holidays\.years\.0"):
        Rules.load(TERMS, override(tmp_path, holidays={"every_year": [], "years": [row]}))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 10, 1), False),
        (date(2026, 10, 7), False),
        (date(2026, 10, 8), True),
        (date(2026, 10, 10), True),  # a Saturday worked for the holiday
        (date(2026, 10, 11), False),
        (date(2026, 2, 16), False),
        (date(2031, 5, 1), False),  # a year that is not announced yet
        (date(2031, 5, 5), True),
        (date(2031, 5, 3), False),
    ],
)
def test_working_days(day: date, works: bool) -> None:
    assert CALENDAR.is_working_day(day) is works


def test_days_off_are_moved_by_rule() -> None:
    feast = date(2026, 10, 3)
    assert CALENDAR.moved(feast, "same_day") == feast
    assert CALENDAR.moved(feast, "next_working_day") == date(2026, 10, 8)
    assert CALENDAR.moved(feast, "previous_working_day") == date(2026, 9, 30)
    assert CALENDAR.knows(2026) and not CALENDAR.knows(2031)
