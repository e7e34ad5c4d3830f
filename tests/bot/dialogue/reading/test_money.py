"""Amounts as they are said are read as they were meant: no word made of numerals swallows a part of one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogue.reading.money import read_amount, read_money
from bot.dialogue.reading.speech import fen_to_spoken


@pytest.mark.parametrize(
    ("said", "amount_fen"),
    [
        ("十一元", 11_00),
        ("给李四转十一块", 11_00),
        ("五百一十一元", 511_00),
        ("一万零十一元", 10_011_00),
        ("五一块", 51_00),
        ("五万一元", 51_000_00),
    ],
)
def test_an_amount_with_a_holiday_in_it_is_an_amount(said, amount_fen):
    assert [reading.value.amount_fen for reading in read_money(said)] == [amount_fen]


@pytest.mark.parametrize(
    ("said", "amount_fen"), [("五万一", 51_000_00), ("转五万一", 51_000_00), ("五百一十一", 511_00)]
)
def test_a_bare_amount_is_never_only_its_tail_or_head(said, amount_fen):
    assert [reading.value.amount_fen for reading in read_amount(said)] == [amount_fen]


@pytest.mark.parametrize(
    "said", ["十一", "国庆十一", "双十一", "万一转错了怎么办", "六一八", "三八节", "五一"]
)
def test_a_holiday_alone_is_no_amount(said):
    assert [*read_money(said), *read_amount(said)] == []


@settings(derandomize=True, max_examples=1000)
@given(st.integers(1, 10**6).map(lambda yuan: yuan * 100) | st.integers(100, 10**12))
def test_every_amount_is_read_as_a_teller_says_it(amount_fen: int):
    assert [reading.value.amount_fen for reading in read_money(fen_to_spoken(amount_fen))] == [amount_fen]


@settings(derandomize=True, max_examples=1000)
@given(st.integers(10, 10**6))
def test_every_whole_amount_is_read_without_its_unit_when_one_was_asked_for(yuan: int):
    said = fen_to_spoken(yuan * 100).removesuffix("元")
    assert [r.value.amount_fen for r in read_amount(said) if r.value.amount_fen != yuan * 100] == []
