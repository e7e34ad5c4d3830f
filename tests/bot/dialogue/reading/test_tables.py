"""Names, numbers, banks, bills and choices: one row of a table for each thing a customer may say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot.dialogue.reading.banks import read_banks
from bot.dialogue.reading.billers import read_bill_type
from bot.dialogue.reading.choices import Option, read_choice
from bot.dialogue.reading.names import read_bare_name, read_payees
from bot.dialogue.reading.numbers import (
    read_card_numbers,
    read_card_tails,
    read_digits,
    read_id_numbers,
    read_phones,
)
from bot.dialogue.reading.numerals import read_numbers
from bot.dialogue.reading.types import Reading
from tests.bot.dialogue.reading.tables import rows


def joined(found: Sequence[Reading[Any]], show: Callable[[Any], str] = str) -> str:
    return " ".join("|".join(show(v) for v in (r.value, *r.alternatives)) for r in found) or "-"


@pytest.mark.parametrize(("text", "expected"), rows("names.tsv", 2))
def test_a_payee_is_read_whole_or_not_at_all(text: str, expected: str) -> None:
    if text.startswith("BARE:"):
        found = read_bare_name(text.removeprefix("BARE:"))
        assert joined([found] if found else []) == expected
    else:
        assert joined(read_payees(text)) == expected


BOOK = ("张三", "李四", "李四五", "王小明", "老妈")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("李四", "李四"),
        ("给李四五十块", "李四五|李四"),
        ("给李四五转十块", "李四五"),
        ("老妈那边打五百", "老妈"),
        ("王小明收", "王小明"),
        ("给张三丰转五百", "张三丰|张三"),
        ("不给张三转了", "-"),
    ],
)
def test_the_payee_book_outranks_every_guess(text: str, expected: str) -> None:
    assert joined(read_payees(text, known=BOOK)) == expected


READERS: dict[str, Callable[[str], str]] = {
    "phone": lambda text: joined(read_phones(text)),
    "tail": lambda text: joined(read_card_tails(text)),
    "card": lambda text: joined(read_card_numbers(text), lambda card: card.digits),
    "id": lambda text: joined(read_id_numbers(text), lambda found: found.number),
    "digits": lambda text: read_digits(text) or "-",
    "bank": lambda text: joined(read_banks(text), lambda bank: bank.code),
    "bill": lambda text: joined(read_bill_type(text)),
}


@pytest.mark.parametrize(("kind", "text", "expected"), rows("numbers.tsv", 3))
def test_numbers_banks_and_bills_are_read(kind: str, text: str, expected: str) -> None:
    assert READERS[kind](text) == expected


def option(label: str) -> Option:
    name, _, others = label.rstrip("]").partition("[")
    return (name, tuple(others.split(","))) if others else name


@pytest.mark.parametrize(("text", "options", "expected"), rows("choices.tsv", 3))
def test_a_choice_is_read_by_place_name_or_part(text: str, options: str, expected: str) -> None:
    picked = read_choice(text, [option(label) for label in options.split("/")])
    assert (" ".join(map(str, picked)) or "-") == expected


@pytest.mark.parametrize(("text", "expected"), rows("numerals.tsv", 2))
def test_numerals_are_read(text: str, expected: str) -> None:
    def show(number: Any) -> str:
        return "vague" if number.vague else f"{number.value.normalize():f}"

    assert joined(read_numbers(text), show) == expected


def test_the_tables_hold_enough_rows_to_be_worth_their_name() -> None:
    count = sum(
        len(rows(name, columns))
        for name, columns in (
            ("dates.tsv", 3),
            ("money.tsv", 3),
            ("names.tsv", 2),
            ("numbers.tsv", 3),
            ("choices.tsv", 3),
            ("numerals.tsv", 2),
        )
    )
    assert count >= 400
