"""No text at all makes a reader fail, hang, or point outside the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bot.dialogue.reading.banks import read_banks
from bot.dialogue.reading.billers import read_bill_type
from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.choices import read_choice
from bot.dialogue.reading.dates import read_dates
from bot.dialogue.reading.money import read_amount, read_money
from bot.dialogue.reading.names import looks_like_person, mentions_self, read_bare_name, read_payees
from bot.dialogue.reading.numbers import (
    read_card_numbers,
    read_card_tails,
    read_digit_runs,
    read_digits,
    read_id_numbers,
    read_phones,
)
from bot.dialogue.reading.numerals import parse_integer, read_numbers
from bot.dialogue.reading.types import Reading

TODAY = date(2026, 11, 4)
BOOK = ("张三", "李四", "李四五", "Ann Lee", "欧阳小雨")
READERS: dict[str, Callable[[str], Sequence[Reading[Any]]]] = {
    "banks": read_banks,
    "bills": read_bill_type,
    "dates, past": lambda text: read_dates(text, TODAY),
    "dates, asked": lambda text: read_dates(text, TODAY, prefer="future", asked=True),
    "money": read_money,
    "amount": lambda text: read_amount(text, BOOK),
    "amount, not asked": lambda text: read_amount(text, asked=False),
    "payees": read_payees,
    "known payees": lambda text: read_payees(text, BOOK),
    "bare name": lambda text: [found] if (found := read_bare_name(text, BOOK)) else [],
    "cards": read_card_numbers,
    "tails": read_card_tails,
    "digit runs": read_digit_runs,
    "identity numbers": read_id_numbers,
    "phones": read_phones,
    "numbers": read_numbers,
}
# Pieces that mean something to one reader or another, glued together in ways nobody planned.
WORDS = """
零 一 二 三 五 十 百 千 万 亿 两 半 几 点 幺 廿 0 1 3 8 20 2026 1.5 , ， . - / : ¥ 元 块 毛 角 分 钱 k w
月 号 日 年 周 星期 季度 上 下 这 前 后 每 到 最近 以前 国庆 春节 给 转 张三 李四 王 欧阳 老 妈 我 不是 改成 全部
尾号 卡 工行 招行 第 个 最后 水电 费 ％ ＡＢ １２ 壹 貳 萬 · x X é 😀
"""
PIECES = st.sampled_from([*WORDS.split(), *"\u200b\u3000\n\x00\U00020000\ufeff\u202e"])
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=30).map("".join)


@given(TEXTS)
@example("")
@example("\x00")
@example("１２３" * 20)
@example("一" * 500)
@example("1," * 250)
@example("给张" * 200)
@example("最近" * 250)
def test_every_reader_answers_any_text_with_spans_that_lie_inside_it(text: str) -> None:
    for name, read in READERS.items():
        for reading in read(text):
            assert 0 <= reading.start < reading.end <= len(text), name
            assert text[reading.start : reading.end] == reading.text, name
    assert canon(text).original == text
    read_digits(text)
    parse_integer(text)
    mentions_self(text)
    looks_like_person(text)


@given(TEXTS, st.lists(st.text(max_size=8), max_size=6))
def test_any_text_chooses_only_options_that_exist(text: str, options: list[str]) -> None:
    chosen = read_choice(text, options)
    assert chosen == sorted(set(chosen))
    assert all(0 <= index < len(options) for index in chosen)


@given(TEXTS)
def test_dates_do_not_overlap_and_end_after_they_begin(text: str) -> None:
    at = 0
    for reading in read_dates(text, TODAY):
        assert reading.start >= at
        at = reading.end
        assert reading.value.invalid or reading.value.start <= reading.value.end
