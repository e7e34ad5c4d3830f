"""Amounts and names put into words, and personal data hidden from other eyes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.reading.numbers import read_digits
from bot.dialogue.reading.numerals import parse_integer
from bot.dialogue.reading.speech import (
    card_tail,
    digits_to_spoken,
    fen_to_chinese_capital,
    fen_to_spoken,
    fen_to_yuan_text,
    mask_name,
    mask_phone,
    number_to_spoken,
)


@pytest.mark.parametrize(
    ("amount_fen", "text", "capital", "spoken"),
    [
        (0, "0.00元", "零元整", "零元"),
        (1, "0.01元", "壹分", "一分"),
        (50, "0.50元", "伍角整", "五角"),
        (200, "2.00元", "贰元整", "两元"),
        (50_000, "500.00元", "伍佰元整", "五百元"),
        (50_050, "500.50元", "伍佰元伍角整", "五百元五角"),
        (10_005, "100.05元", "壹佰元零伍分", "一百元零五分"),
        (2_000_000, "20,000.00元", "贰万元整", "两万元"),
        (1_000_500, "10,005.00元", "壹万零伍元整", "一万零五元"),
        (
            123_456_789,
            "1,234,567.89元",
            "壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分",
            "一百二十三万四千五百六十七元八角九分",
        ),
    ],
)
def test_amounts_are_written_in_figures_capitals_and_speech(
    amount_fen: int, text: str, capital: str, spoken: str
) -> None:
    assert fen_to_yuan_text(amount_fen) == text
    assert fen_to_chinese_capital(amount_fen) == capital
    assert fen_to_spoken(amount_fen) == spoken


@given(st.integers(0, 10**12))
def test_a_number_spoken_reads_back_equal(number: int) -> None:
    assert parse_integer(number_to_spoken(number)) == number


@given(st.text("0123456789", min_size=1, max_size=20))
def test_digits_spoken_one_by_one_read_back_equal(digits: str) -> None:
    assert read_digits(digits_to_spoken(digits)) == digits


def test_negative_amounts_are_never_spoken() -> None:
    for speak in (fen_to_spoken, fen_to_chinese_capital, number_to_spoken):
        with pytest.raises(ValueError, match="never negative"):
            speak(-1)


def test_names_and_numbers_are_masked() -> None:
    assert [mask_name(name) for name in ("张三", "王小明", "张")] == ["*三", "*小明", "*"]
    assert mask_phone("13800001234") == "138****1234"
    assert "0000" not in mask_phone("000012")
    assert card_tail("6222 0212 3456 7894") == "7894"
    with pytest.raises(ValueError, match="four digits"):
        card_tail("123")
