"""Amounts are read to the fen or not at all; two readings stay two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banking_core import money_text
from bot.dialogue.reading import speech
from bot.dialogue.reading.money import AMOUNT_FEN_MAX, Money, read_amount, read_money
from bot.dialogue.reading.types import Reading
from tests.bot.dialogue.reading.tables import rows

AMOUNTS = st.integers(min_value=1, max_value=AMOUNT_FEN_MAX)


def shown(money: Money) -> str:
    for name in ("whole", "half", "vague", "negative", "too_large"):
        if getattr(money, name):
            return name
    return str(money.amount_fen)


def read(text: str, how: str) -> list[Reading[Money]]:
    return read_money(text) if how == "money" else read_amount(text, asked=how == "asked")


@pytest.mark.parametrize(("text", "how", "expected"), rows("money.tsv", 3))
def test_an_amount_is_read_as_it_is_said(text: str, how: str, expected: str) -> None:
    found = read(text, how)
    assert (
        " ".join("|".join(shown(v) for v in (r.value, *r.alternatives)) for r in found) or "-"
    ) == expected


def only(text: str) -> int | None:
    (reading,) = read_money(text)
    assert not reading.ambiguous and reading.text == text
    return reading.value.amount_fen


@given(AMOUNTS)
def test_every_amount_the_bank_writes_reads_back_equal(amount_fen: int) -> None:
    assert only(money_text.fen_to_yuan_text(amount_fen)) == amount_fen
    assert only(speech.fen_to_yuan_text(amount_fen)) == amount_fen


@given(AMOUNTS)
def test_every_amount_in_capitals_reads_back_equal(amount_fen: int) -> None:
    assert only(money_text.fen_to_chinese_capital(amount_fen)) == amount_fen
    assert only(speech.fen_to_chinese_capital(amount_fen)) == amount_fen


@given(AMOUNTS)
def test_every_amount_a_teller_speaks_reads_back_equal(amount_fen: int) -> None:
    assert only(speech.fen_to_spoken(amount_fen)) == amount_fen


@given(AMOUNTS)
def test_an_amount_is_the_same_inside_a_sentence(amount_fen: int) -> None:
    for text in (
        f"给张三转{speech.fen_to_yuan_text(amount_fen)}",
        f"不对，是{speech.fen_to_spoken(amount_fen)}吧",
        f"请转{money_text.fen_to_chinese_capital(amount_fen)}给李小红",
    ):
        found = read_money(text)
        assert [reading.value.amount_fen for reading in found] == [amount_fen], text


def test_both_rooms_write_capitals_alike() -> None:
    for amount_fen in (1, 5, 10, 50, 100, 105, 150, 10005, 100000, 1000000, 10000000001, 123456789, 10**13):
        assert money_text.fen_to_chinese_capital(amount_fen) == speech.fen_to_chinese_capital(amount_fen)
