from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banking_core.errors import InvalidInput
from banking_core.money_text import (
    FEN_MAX,
    amount_fact,
    fee_fact,
    fen_to_chinese_capital,
    fen_to_signed_text,
    fen_to_yuan_text,
    mask_name,
    mask_number,
    mask_phone,
    yuan_text_to_fen,
)

AMOUNTS = st.integers(min_value=-FEN_MAX, max_value=FEN_MAX)
DIGITS = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
PLACES = {"拾": 10, "佰": 100, "仟": 1000}


def read_capital(text: str) -> int:
    """Fen from capital characters, written independently of the code under test."""
    sign = -1 if text.startswith("负") else 1
    text = text.removeprefix("负").removesuffix("整")
    yuan_text, _, cents = text.rpartition("元")
    total = section = digit = 0
    upper = 0
    for character in yuan_text:
        if character in DIGITS:
            digit = DIGITS[character]
        elif character in PLACES:
            section, digit = section + digit * PLACES[character], 0
        elif character == "万":
            total, section, digit = total + (section + digit) * 10**4, 0, 0
        else:
            upper, total, section, digit = (upper + total + section + digit) * 10**8, 0, 0, 0
    fen = (upper + total + section + digit) * 100
    value = 0
    for character in cents:
        if character in DIGITS:
            value = DIGITS[character]
        else:
            fen += value * {"角": 10, "分": 1}[character]
    return sign * fen


@given(AMOUNTS)
def test_yuan_text_read_back_is_the_same_amount(amount_fen: int) -> None:
    assert yuan_text_to_fen(fen_to_yuan_text(amount_fen)) == amount_fen


@given(AMOUNTS)
def test_capital_text_read_back_is_the_same_amount(amount_fen: int) -> None:
    assert read_capital(fen_to_chinese_capital(amount_fen)) == amount_fen


@given(AMOUNTS)
def test_capital_text_has_no_doubled_zero(amount_fen: int) -> None:
    assert "零零" not in fen_to_chinese_capital(amount_fen)


@pytest.mark.parametrize(
    ("amount_fen", "text"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角整"),
        (50_000, "伍佰元整"),
        (100_005, "壹仟元零伍分"),
        (100_050, "壹仟元伍角整"),
        (123_456, "壹仟贰佰叁拾肆元伍角陆分"),
        (1_000_00, "壹仟元整"),
        (10_000_00, "壹万元整"),
        (10_001_00, "壹万零壹元整"),
        (100_200_30, "壹拾万零贰佰元叁角整"),
        (1_0000_0000_00, "壹亿元整"),
        (1_0001_0000_00, "壹亿零壹万元整"),
        (1_0000_0001_00, "壹亿零壹元整"),
        (-5_00, "负伍元整"),
    ],
)
def test_capital_text_of_known_amounts(amount_fen: int, text: str) -> None:
    assert fen_to_chinese_capital(amount_fen) == text


def test_amounts_are_written_as_customers_read_them() -> None:
    assert fen_to_yuan_text(123_450) == "¥1,234.50"
    assert fen_to_yuan_text(-5) == "-¥0.05"
    assert fen_to_signed_text(500) == "+¥5.00"
    assert fen_to_signed_text(-500) == "-¥5.00"
    assert amount_fact(50_000) == "¥500.00（伍佰元整）"
    assert (fee_fact(0), fee_fact(200)) == ("免费", "¥2.00")


@pytest.mark.parametrize("text", ["", "12.00", "¥1234.00", "¥1,23.00", "¥1.5", "¥-1.00"])
def test_other_spellings_are_not_amounts(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        yuan_text_to_fen(text)


@pytest.mark.parametrize("value", [1.5, True, "100"])
def test_money_that_is_not_an_int_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        fen_to_yuan_text(value)  # type: ignore[arg-type]


def test_names_and_numbers_are_masked() -> None:
    assert [mask_name(name) for name in ("张", "张三", "王小明", "欧阳娜娜")] == [
        "*",
        "*三",
        "*小明",
        "*阳娜娜",
    ]
    assert mask_phone("13812341234") == "138****1234"
    assert mask_phone("12345") == "*****"
    assert mask_number("6299881234566789") == "尾号6789"


def test_amounts_beyond_any_bank_are_refused() -> None:
    for write in (fen_to_yuan_text, fen_to_chinese_capital):
        with pytest.raises(InvalidInput, match="bounds"):
            write(FEN_MAX + 1)
