"""What a reply sounds like: no figure, sign or mark is left for the voice to guess at."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.statements import _reply as statement_reply
from banking_core.money_text import fen_to_yuan_text
from banking_core.statements.service import StatementPage, StatementRow
from bot.channels.phone.loop import manner
from bot.channels.phone.spoken import MORE, PIECE_CHARS_MAX, PIECES_MAX, spoken, spoken_pieces
from bot.dialogue.reading.money import read_money
from bot.dialogue.reading.numerals import to_ascii_digits
from bot.dialogue.state import Frame


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("请稍后再试，或者回复“转人工”。", "请稍后再试，或者说转人工。"),
        # amounts
        ("¥500.00", "五百元"),
        ("¥1,234.50", "一千两百三十四元五角"),
        ("-¥20.00", "负二十元"),
        ("¥0.05", "五分钱"),
        ("¥10,000.05", "一万元零五分"),
        ("给张三转500元", "给张三转五百元"),
        ("余额2,000.00元", "余额两千元"),
        ("手续费0元", "手续费零元"),
        ("1200.50元", "一千两百元五角"),
        ("充100块", "充一百元"),
        # numbers to be noted down
        ("尾号6781的卡", "尾号六七八幺的卡"),
        ("尾号为0011", "尾号是零零幺幺"),
        ("业务编号10086。", "业务编号幺零零八六。"),
        ("请拨打95511", "请拨打九五五幺幺"),
        ("138****1234", "幺三八开头，尾号幺二三四"),
        ("6222 **** **** 6781", "尾号六七八幺"),
        ("****6781", "尾号六七八幺"),
        ("回单编号HD20261101", "回单编号H D 二零二六幺幺零幺"),
        ("13800001111", "幺三八零零零零幺幺幺幺"),
        ("007", "零零七"),
        # names
        ("转给*三", "转给某三"),
        ("转给*小明", "转给某小明"),
        # dates and hours
        ("2026年11月25日", "二零二六年十一月二十五日"),
        ("2026-11-05", "二零二六年十一月五日"),
        ("11月2日前交", "十一月二日前交"),
        ("2016年开户", "二零一六年开户"),
        ("14:05", "十四点零五分"),
        ("2:00", "两点"),
        ("9:00-17:00", "九点到十七点"),
        ("周一至周五 9:30~16:30", "周一至周五 九点三十分到十六点三十分"),
        # quantities
        ("最近3笔", "最近三笔"),
        ("还有2笔", "还有两笔"),
        ("前面还有12位", "前面还有十二位"),
        ("年利率3.85%", "年利率百分之三点八五"),
        ("100%", "百分之一百"),
        ("1至3个工作日", "一至三个工作日"),
        ("1-3天", "一到三天"),
        ("1.5万", "一点五万"),
        ("2小时内", "两小时内"),
        ("第2笔没交", "第二笔没交"),
        ("第12笔和第22笔", "第十二笔和第二十二笔"),
        ("第200位", "第二百位"),
        ("第2次还有2次", "第二次还有两次"),
        ("积分12345分", "积分一万两千三百四十五分"),
        ("您的积分余额是20000", "您的积分余额是两万"),
        ("积分2,000", "积分两千"),
        ("评了2分", "评了两分"),
        ("1.20亿", "一点二亿"),
        ("1.20亿元", "一点二亿元"),
        ("2.00万", "两万"),
        ("10.50万", "十点五万"),
        ("30分钟", "三十分钟"),
        # marks
        ("说“转人工”就行", "说转人工就行"),
        ("查余额（编号12）", "查余额，编号幺二，"),
        ("请看 https://bank.example/x?a=1", "请看 "),
    ],
)
def test_what_is_written_is_said(written, said):
    assert spoken(written) == said


@settings(derandomize=True, max_examples=500)
@given(
    st.integers(1, 10**11), st.sampled_from(["{}", "给李四转{}，确认吗？", "手续费{}。", "余额是{}，可用"])
)
def test_every_amount_survives_being_said(amount_fen: int, sentence: str):
    said = spoken(sentence.format(fen_to_yuan_text(amount_fen)))
    assert [reading.value.amount_fen for reading in read_money(said)] == [amount_fen]


@settings(derandomize=True)
@given(st.from_regex(r"[0-9]{4}", fullmatch=True))
def test_every_card_tail_survives_being_said(tail: str):
    said = spoken(f"尾号{tail}的卡")
    assert to_ascii_digits(said.removeprefix("尾号").removesuffix("的卡")) == tail
    assert "一" not in said and len(said) == 8


@settings(derandomize=True, max_examples=500)
@given(st.text("0123456789.,:-~¥%*元日月年点号尾笔给 （）", max_size=40) | st.text(max_size=60))
def test_no_figure_is_left_to_the_voice_whatever_is_written(text: str):
    assert re.search(r"[0-9¥￥%*]", spoken(text)) is None


def test_a_reply_becomes_short_pieces_at_its_stops():
    text = "给李四（尾号6781）转¥500.00，手续费¥0.00，从尾号1234的储蓄卡付款。确认吗？"
    pieces = spoken_pieces(text)
    assert pieces[-1] == "确认吗？" and len(pieces) == 3
    assert all(len(piece) <= PIECE_CHARS_MAX for piece in pieces)
    assert "".join(pieces) == spoken(text)


def test_a_long_list_stops_after_a_few_pieces_and_says_so():
    pieces = spoken_pieces("\n".join(f"· 第{number}件事可以办。" for number in range(1, 30)))
    assert len(pieces) == PIECES_MAX + 1 and pieces[-1] == MORE


@pytest.mark.parametrize("text", ["", "……", "——", "\n\n", "“”"])
def test_what_has_no_words_has_no_pieces(text):
    assert spoken_pieces(text) == ()


def test_what_the_line_itself_says_is_already_in_spoken_form():
    own = [
        piece
        for value in vars(manner).values()
        if isinstance(value, tuple)
        for item in value
        for piece in ((item,) if isinstance(item, str) else item)
    ]
    assert len(own) > 20
    assert all(spoken(piece) == piece and len(piece) <= PIECE_CHARS_MAX for piece in own)


def test_examples_side_by_side_are_said_apart():
    assert spoken("比如“查余额”“交电费”。") == "比如查余额，交电费。"


def test_a_statement_says_its_newest_lines_to_who_only_hears_it_and_nothing_of_a_list_below():
    at = datetime(2026, 11, 25, 4, tzinfo=UTC)
    row = StatementRow(1, at, "超市购物", "", "food", "餐饮", -45_00, 100_00, "a1", "6781")
    page = StatementPage((row,) * 5, 12, 0, 540_00)
    frame = Frame("statement_search", values={"words": []})
    reply = statement_reply(frame, at.date(), at.date(), page, aloud=True)
    said = spoken(reply.text)
    assert said.count("十一月二十五日，超市购物，支出四十五元。") == 3 and "下面" not in said
