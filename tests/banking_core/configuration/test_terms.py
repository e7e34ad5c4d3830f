from __future__ import annotations

from pathlib import Path

import pytest

from banking_core.configuration import Terms, TermsError, UnknownTerm
from banking_core.configuration.terms import DEFAULT_PATH

TERMS = Terms.from_mapping(
    {
        "transfers": {
            "fee_yuan": 2,
            "limit_yuan": 50000,
            "odd_yuan": 0.005,
            "arrival": "2小时内",
            "on": True,
        },
        "living": {"amounts_yuan": [10, 20, 50]},
        "deep": {"er": {"days": 3, "rate_percent": 0.65}},
    }
)


def test_values_are_found_by_dotted_key() -> None:
    assert TERMS.value("transfers.arrival") == "2小时内"
    assert TERMS.fen("transfers.fee_yuan") == 200
    assert TERMS.integer("deep.er.days") == 3
    assert "deep.er.days" in TERMS
    assert TERMS.keys()[0] == "deep.er.days"


def test_templates_are_filled_as_chinese_readers_write_numbers() -> None:
    template = (
        "最高{transfers.limit_yuan}元，{living.amounts_yuan}元，{deep.er.rate_percent}%，{transfers.on}"
    )
    assert TERMS.render(template) == "最高5万元，10、20、50元，0.65%，是"
    assert TERMS.placeholders(template)[0] == "transfers.limit_yuan"


def test_an_unknown_key_is_a_typed_error() -> None:
    for attempt in (TERMS.value, TERMS.integer, TERMS.text):
        with pytest.raises(UnknownTerm, match=r"transfers\.fee"):
            attempt("transfers.fee")
    with pytest.raises(UnknownTerm, match=r"a\.b, c\.d"):
        TERMS.require(["c.d", "a.b", "transfers.fee_yuan"])
    with pytest.raises(UnknownTerm):
        TERMS.render("{no.such}")


def test_values_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TermsError, match="not an amount"):
        TERMS.fen("deep.er.days")
    with pytest.raises(TermsError, match="fractions"):
        TERMS.fen("transfers.odd_yuan")
    with pytest.raises(TermsError, match="not a whole number"):
        TERMS.integer("deep.er.rate_percent")
    for key in ("transfers.arrival", "living.amounts_yuan"):
        with pytest.raises(TermsError, match="not a number"):
            TERMS.number(key)


def test_a_banks_own_file_changes_single_terms(tmp_path: Path) -> None:
    own = tmp_path / "own.yml"
    own.write_text("transfers:\n  interbank_fee_yuan: 7.5\n", encoding="utf-8")
    terms = Terms.load(own)
    assert terms.fen("transfers.interbank_fee_yuan") == 750
    assert terms.value("transfers.limit_per_day_yuan") == Terms.load().value("transfers.limit_per_day_yuan")


def test_a_misspelt_key_in_a_banks_own_file_shows_at_start(tmp_path: Path) -> None:
    own = tmp_path / "own.yml"
    own.write_text("transfers:\n  interbank_fe_yuan: 7\n", encoding="utf-8")
    with pytest.raises(UnknownTerm, match="interbank_fe_yuan"):
        Terms.load(own)


@pytest.mark.parametrize("content", ["- a list\n", "a: [unclosed", "1: {x: 2}\n", "a: {b: null}\n"])
def test_a_file_that_is_no_terms_file_is_refused(tmp_path: Path, content: str) -> None:
    own = tmp_path / "own.yml"
    own.write_text(content, encoding="utf-8")
    with pytest.raises(TermsError):
        Terms.load(own)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TermsError, match=r"nowhere\.yml"):
        Terms.load(tmp_path / "nowhere.yml")


def test_the_packaged_terms_are_wholly_readable() -> None:
    terms = Terms.load(default=DEFAULT_PATH)
    every = terms.keys()
    for key in every:
        assert terms.text(key) != ""
        if key.endswith("_yuan") and not isinstance(terms.value(key), list):
            assert terms.fen(key) >= 0
