"""What the product writes or says it reads back as the same; no text makes a reader fail or point outside it."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.accounts.numbers import FORMATS, luhn_complete
from banking_core.money_text import FEN_MAX, fen_to_chinese_capital, fen_to_signed_text, fen_to_yuan_text
from bot.dialogue.reading import speech
from bot.dialogue.reading.banks import BANKS, read_banks
from bot.dialogue.reading.currencies import CURRENCIES, read_currencies, read_foreign_amounts
from bot.dialogue.reading.money import Money, read_amount, read_money
from bot.dialogue.reading.names import read_payees
from bot.dialogue.reading.numbers import (
    IdNumber,
    id_checksum_ok,
    read_card_numbers,
    read_card_tails,
    read_digits,
    read_id_numbers,
    read_phones,
)
from bot.dialogue.reading.numerals import parse_integer
from bot.dialogue.reading.percents import read_percents
from bot.dialogue.reading.plates import Plate, read_plates
from bot.dialogue.reading.products import read_products
from bot.dialogue.reading.terms import Term, read_terms

AMOUNTS = st.integers(1, 10**6) | st.integers(1, 10**8).map(lambda yuan: yuan * 100) | st.integers(1, FEN_MAX)
OFTEN = settings(derandomize=True, max_examples=500, deadline=None)
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
SAID = st.text(
    st.sampled_from(
        "零一二三四五六七八九十百千万亿两几半点块元角毛分厘个年月日天期成折%‰.,，。0159aAdDxXkKwW$¥-负 "
        "京沪给张转到第尾号美刀多来左右"
    ),
    max_size=24,
)
READERS = (
    read_amount,
    read_money,
    read_foreign_amounts,
    read_currencies,
    read_percents,
    read_terms,
    read_plates,
    read_products,
    read_banks,
    read_payees,
    read_phones,
    read_card_numbers,
    read_card_tails,
    read_id_numbers,
)


def only(text: str) -> Money:
    (reading,) = read_money(text)
    assert not reading.ambiguous
    return reading.value


@OFTEN
@given(AMOUNTS)
def test_every_amount_the_product_writes_is_read_back_as_that_amount(amount_fen: int) -> None:
    for text in (
        fen_to_yuan_text(amount_fen),
        fen_to_chinese_capital(amount_fen),
        speech.fen_to_yuan_text(amount_fen),
        speech.fen_to_chinese_capital(amount_fen),
        speech.fen_to_spoken(amount_fen),
    ):
        assert only(text) == Money(amount_fen), text


@OFTEN
@given(AMOUNTS)
def test_an_amount_written_as_paid_out_is_negative(amount_fen: int) -> None:
    assert only(fen_to_signed_text(-amount_fen)) == Money(-amount_fen, negative=True)


@OFTEN
@given(st.integers(0, 10**4) | st.integers(0, 10**12))
def test_every_whole_number_is_read_as_it_is_said(number: int) -> None:
    assert parse_integer(speech.number_to_spoken(number)) == number


@OFTEN
@given(st.text("0123456789", min_size=1, max_size=30))
def test_digits_said_one_by_one_are_those_digits(digits: str) -> None:
    assert read_digits(speech.digits_to_spoken(digits)) == digits


@OFTEN
@given(st.sampled_from(sorted(FORMATS)), st.text("0123456789", min_size=12, max_size=12))
def test_the_bank_reads_its_own_account_numbers_however_they_are_spaced(kind: str, digits: str) -> None:
    prefix, length = FORMATS[kind]
    number = luhn_complete(prefix + digits[: length - len(prefix) - 1].ljust(length - len(prefix) - 1, "0"))
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    for text in (number, spaced, spaced.replace(" ", "-"), speech.digits_to_spoken(number)):
        (reading,) = read_card_numbers(text)
        assert (reading.value.digits, reading.value.luhn_ok) == (number, True)


@OFTEN
@given(st.dates(date(1900, 1, 1), date(2026, 11, 4)), st.integers(110000, 659999), st.integers(0, 999))
def test_every_identity_number_is_read_with_the_day_of_birth_in_it(
    born: date, place: int, serial: int
) -> None:
    body = f"{place}{born:%Y%m%d}{serial:03d}"
    number = next(body + check for check in "0123456789X" if id_checksum_ok(body + check))
    (reading,) = read_id_numbers(f"身份证号{number}")
    assert reading.value == IdNumber(number, True, born)


@OFTEN
@given(
    st.sampled_from("京沪粤浙川新"),
    st.sampled_from(LETTERS),
    st.from_regex(r"[0-9]{3}[0-9A-HJ-NP-Z]{2}|[DF][0-9]{5}", fullmatch=True),
    st.sampled_from(["", "·", " ", "-"]),
)
def test_every_plate_is_read_as_it_is_stamped(province: str, letter: str, rest: str, dot: str) -> None:
    (reading,) = read_plates(f"{province}{letter}{dot}{rest}")
    assert reading.value == Plate(province + letter + rest, "ordinary" if len(rest) == 5 else "new_energy")


@OFTEN
@given(st.integers(1, 600))
def test_every_term_is_read_as_it_is_said(count: int) -> None:
    for number in (str(count), speech.number_to_spoken(count) if count != 2 else "两"):
        assert [r.value for r in read_terms(f"{number}个月")] == [Term(count, "months")]
        assert [r.value for r in read_terms(f"{number}天")] == [Term(count, "days")]


def test_every_bank_and_currency_is_known_by_its_own_name() -> None:
    for bank in BANKS:
        assert [reading.value for reading in read_banks(bank.name)] == [bank]
    for currency in CURRENCIES.values():
        assert [reading.value for reading in read_currencies(currency.name)] == [currency]


@settings(derandomize=True, max_examples=1500, deadline=None)
@given(SAID | st.text(max_size=20))
def test_no_text_makes_a_reader_fail_or_point_outside_it(text: str) -> None:
    for read in READERS:
        at = 0
        for reading in read(text):
            assert at <= reading.start < reading.end <= len(text), read.__name__
            assert reading.text == text[reading.start : reading.end]
            at = reading.end
