"""Every kind of thing customers name is read as the tables say; two readings are told apart from one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from banking_core.branches.directory import DEFAULT_DIRECTORY, read_directory
from banking_core.branches.models import Branch
from banking_core.branches.places import rank, understand
from bot.dialogue.reading.banks import read_banks
from bot.dialogue.reading.billers import read_bill_type
from bot.dialogue.reading.currencies import ForeignAmount, read_currencies, read_foreign_amounts
from bot.dialogue.reading.money import Money, read_amount, read_money
from bot.dialogue.reading.names import read_bare_name, read_payees
from bot.dialogue.reading.numbers import (
    CardNumber,
    IdNumber,
    read_card_numbers,
    read_card_tails,
    read_id_numbers,
    read_phones,
)
from bot.dialogue.reading.percents import Percent, read_percents
from bot.dialogue.reading.plates import Plate, read_plates
from bot.dialogue.reading.products import read_products
from bot.dialogue.reading.terms import Term, read_terms
from bot.dialogue.reading.types import Reading
from bot.settings import ROOT
from tests.bot.dialogue.reading.dates_shown import read_as_shown
from tests.bot.dialogue.reading.tables import kinds, rows

BOOK = ("张三", "李四", "李四五", "欧阳小雨")
CASES_MIN = 400
OF_A_KIND_MIN = 25


def shown(readings: Iterable[Reading[Any]], form: Callable[[Any], str]) -> str:
    """Readings apart by blanks, the two values of one reading by |, nothing as -."""
    found = ["|".join(map(form, (reading.value, *reading.alternatives))) for reading in readings]
    return " ".join(found) or "-"


def money(value: Money) -> str:
    if value.foreign or value.too_fine or value.too_large:
        return "foreign" if value.foreign else "too fine" if value.too_fine else "too large"
    if value.whole or value.half:
        return "all" if value.whole else "half"
    return "?" if value.amount_fen is None else f"{value.amount_fen / 100:.2f}"


def foreign(value: ForeignAmount) -> str:
    return f"{value.currency.code}{'?' if value.amount is None else f'{value.amount:f}'}"


def currencies(text: str) -> str:
    amounts = read_foreign_amounts(text)
    return shown(amounts, foreign) if amounts else shown(read_currencies(text), lambda value: value.code)


def card(value: CardNumber) -> str:
    return value.digits + ("" if value.luhn_ok else "!")


def identity(value: IdNumber) -> str:
    return f"{value.number}{'' if value.checksum_ok else '!'} {value.birth_date or '-'}"


def percent(value: Percent) -> str:
    figure = "?" if value.value is None else f"{value.value.normalize():f}"
    return f"{figure}/{value.per}" if value.per else figure


def term(value: Term) -> str:
    return f"{'?' if value.count is None else value.count}{'x' if value.unit == 'instalments' else value.unit[0]}"


def plate(value: Plate) -> str:
    kind = {"ordinary": "", "new_energy": "(e)", "special": "(s)"}[value.kind]
    return f"{value.number}{kind}{'' if value.valid else '!'}"


BRANCHES = [Branch(**row) for row in read_directory(DEFAULT_DIRECTORY)]


def places(text: str) -> str:
    place = understand(text, BRANCHES)
    matched, found = rank(place, BRANCHES)
    if not found:
        return "-"
    return " ".join([branch.code for branch in found[:3]]) if matched == "place" else f"city {found[0].city}"


def payees(text: str, how: str) -> str:
    if how == "bare":
        name = read_bare_name(text)
        return shown([name] if name else [], str)
    return shown(read_payees(text, known=BOOK if how == "book" else ()), str)


READERS: dict[str, Callable[[str, str], str]] = {
    "amounts": lambda text, _: shown(read_amount(text) or read_money(text), money),
    "banks": lambda text, _: shown(read_banks(text), lambda bank: bank.code),
    "bills": lambda text, _: shown(read_bill_type(text), str),
    "cards": lambda text, _: shown(read_card_numbers(text), card),
    "currencies": lambda text, _: currencies(text),
    "dates": read_as_shown,
    "ids": lambda text, _: shown(read_id_numbers(text), identity),
    "payees": payees,
    "percents": lambda text, _: shown(read_percents(text), percent),
    "phones": lambda text, _: shown(read_phones(text), str),
    "terms": lambda text, _: shown(read_terms(text), term),
    "places": lambda text, _: places(text),
    "plates": lambda text, _: shown(read_plates(text), plate),
    "products": lambda text, _: shown(read_products(text), str),
    "tails": lambda text, _: shown(read_card_tails(text), str),
}


@pytest.mark.parametrize(
    ("kind", "text", "context", "expected"), [(kind, *row) for kind in kinds() for row in rows(kind)]
)
def test_what_is_said_is_read_as_the_table_says(kind: str, text: str, context: str, expected: str) -> None:
    assert READERS[kind](text, context) == expected


def test_the_tables_hold_enough_different_cases_of_every_kind() -> None:
    assert set(kinds()) == set(READERS)
    counts = {kind: len({row[:2] for row in rows(kind)}) for kind in kinds()}
    assert counts == Counter(kind for kind in kinds() for _ in rows(kind)), "a case stands twice"
    assert {kind: count for kind, count in counts.items() if count < OF_A_KIND_MIN} == {}
    assert sum(counts.values()) >= CASES_MIN, counts


def test_the_documentation_states_the_counts_as_they_are() -> None:
    text = (ROOT / "docs" / "nlu.md").read_text(encoding="utf-8")
    stated = {kind: int(count) for kind, count in re.findall(r"^\| (\w+) \| (\d+) \| `", text, re.MULTILINE)}
    assert stated == {kind: len(rows(kind)) for kind in kinds()}
    assert f"| all | {sum(stated.values())} |" in text
