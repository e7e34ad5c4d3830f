"""What folding promises: different spellings of one question become one text."""

from __future__ import annotations

import pytest

from bot.knowledge.lexicon import Lexicon
from bot.knowledge.text import AMOUNT, Reader

from .conftest import LEXICONS


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(Lexicon.load(LEXICONS / "synonyms.yml", LEXICONS / "banks.txt"))


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("轉帳", "转账"),
        ("ＡＴＭ", "atm"),
        ("转帐限鹅", "转账限额"),
        ("24小时", "二十四小时"),
        ("1.5万", "一点五万"),
        ("50000元", "五万元"),
        ("10086", "一万零八十六"),
        ("6222020200012345678转账", "转账"),
        ("请问，限额呢？", "限额"),
        ("吗", "吗"),
        ("", ""),
    ],
)
def test_texts_fold_to_one_plain_form(reader: Reader, said: str, plain: str) -> None:
    assert reader.plain(said) == plain


def test_other_banks_names_all_mean_another_bank(reader: Reader) -> None:
    assert reader.read("转到招商银行").concepts == reader.read("转到建行").concepts
    assert "<interbank>" in reader.read("转到农信社").concepts


def test_the_central_bank_is_not_just_another_bank(reader: Reader) -> None:
    assert "<interbank>" not in reader.read("人民银行").concepts


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("农业银行信用卡年费多少", "信用卡年费多少"),
        ("建行的卡怎么激活", "卡怎么激活"),
        ("转到建设银行收费", "转到建设银行收费"),
        ("从招商银行转过来要钱", "从招商银行转过来要钱"),
        ("工商银行卡里的钱怎么转过来", "工商银行卡里的钱怎么转过来"),
        ("农业银行", "农业银行"),
    ],
)
def test_a_banks_name_beside_the_point_is_the_bank_that_is_asked(
    reader: Reader, said: str, plain: str
) -> None:
    assert reader.plain(said) == plain


def test_synonyms_read_as_the_same_terms(reader: Reader) -> None:
    assert set(reader.read("转钱扣费").pairs) == set(reader.read("汇款收费").pairs)
    assert "fee+transfer" in reader.read("打款要手续费").pairs


def test_amounts_are_seen_whatever_the_figure(reader: Reader) -> None:
    assert AMOUNT in reader.read("转3000块").concepts
    assert AMOUNT in reader.read("转两万").concepts
    assert AMOUNT not in reader.read("转账").concepts


def test_only_the_head_of_a_very_long_message_is_read(reader: Reader) -> None:
    assert reader.read("转" * 5000).plain == reader.read("转" * 160).plain
