"""Codes are read from links and scans, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from bot.dialogue.reading.pay_codes import pay_link, read_pay_codes, scanned, without_pay_codes

TOKEN = "bcdfghjklmnpqrstwxyzbcdfgh"


@pytest.mark.parametrize(
    "text",
    [
        scanned(TOKEN),
        pay_link("https://bank.example", TOKEN),
        f"http://127.0.0.1:8080/?from=wechat&pay={TOKEN}#top",
        f"给他付50 https://bank.example/?pay={TOKEN}，快点",
    ],
)
def test_a_code_is_read(text: str) -> None:
    assert [reading.value for reading in read_pay_codes(text)] == [TOKEN]
    assert TOKEN not in without_pay_codes(text) and "[收款码]" in without_pay_codes(text)


@pytest.mark.parametrize(
    "text",
    [
        "我的收款码",
        f"https://bank.example/?pay={TOKEN}b",
        f"https://bank.example/?pay={TOKEN[:-1]}",
        f"https://bank.example/?repay={TOKEN}",
        f"https://bank.example/?pay={TOKEN.upper()}",
        "https://qr.alipay.com/fkx12345",
        TOKEN,
    ],
)
def test_nothing_else_is_taken_for_one(text: str) -> None:
    assert read_pay_codes(text) == [] and without_pay_codes(text) == text


def test_the_digits_of_the_address_belong_to_the_link() -> None:
    text = f"付款 http://10.0.0.7:8080/?pay={TOKEN} 一百元"
    [reading] = read_pay_codes(text)
    assert text[reading.start : reading.end] == f"http://10.0.0.7:8080/?pay={TOKEN}"
