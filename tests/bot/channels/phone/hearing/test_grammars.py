"""What may be said grows with what is possible, and a secret is digits only."""

from __future__ import annotations

import pytest

from bot.channels.phone.hearing.grammars import DIGITS, closed, grammar
from bot.channels.phone.loop import Expect


def test_a_payee_may_be_paid_in_one_sentence():
    lines = grammar(Expect.WORDS, ("李四",)).lines
    assert "给李四转" in lines and any(
        line.startswith("给李四转") and line[-1] in "元块钱整五" for line in lines
    )


def test_a_bill_is_asked_about_and_paid_and_is_no_payee():
    lines = grammar(Expect.WORDS, ("有线电视费", "交电费", "李四")).lines
    assert {"交有线电视费", "有线电视费多少"} <= set(lines)
    assert not any("给有线电视费" in line or "交交电费" in line for line in lines)


def test_a_yes_is_likelier_where_one_is_asked_for():
    assert grammar(Expect.YES_NO).lines.count("确认") > grammar(Expect.WORDS).lines.count("确认") >= 1


@pytest.mark.parametrize("expect", [Expect.CODE, Expect.PASSWORD])
def test_a_secret_is_digits_and_the_ways_out(expect):
    made = grammar(expect, ("李四",))
    assert made.digits and "转人工" in made.strict and not any("李四" in line for line in made.lines)
    assert all(line in {*made.strict, "[unk]"} or set(line) <= {*DIGITS, " "} for line in made.lines)


def test_every_state_can_be_left_by_voice():
    assert all({"取消", "转人工"} <= set(grammar(expect).lines) for expect in Expect)


def test_a_payee_book_of_any_size_stays_affordable():
    names = tuple(f"李{chr(0x4E00 + at)}" for at in range(500))
    assert len(grammar(Expect.WORDS, names).lines) < 3000


def test_the_same_state_is_the_same_grammar():
    assert grammar(Expect.WORDS, ("李四",)) is grammar(Expect.WORDS, ("李四",))


def test_a_closed_list_of_digits_may_be_strung_together():
    assert closed(("一", "二", "[unk]")).digits and not closed(("查余额", "[unk]")).digits


def test_a_hesitation_is_heard_as_one():
    assert {"嗯", "呃"} <= set(grammar(Expect.WORDS).lines) & set(grammar(Expect.YES_NO).lines)
