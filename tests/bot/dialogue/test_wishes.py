"""Several wishes in one sentence are done in turn; a short 那…呢 asks the last question about something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.dialogue.wishes import WISHES_MAX, split_wishes
from tests.bot.dialogue.counter import Talk, hear_all


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("先查余额，然后给张三转500", ["查余额", "给张三转500"]),
        ("查余额顺便交个电费", ["查余额", "交个电费"]),
        ("给张三转500，再给李四转300", ["给张三转500", "给李四转300"]),
        ("查余额。给张三转500。充话费50元", ["查余额", "给张三转500", "充话费50元"]),
        ("给张三转500", []),
        ("然后呢", []),
        ("再说一遍", []),
        ("一、" + "查余额，然后" * (WISHES_MAX + 1), []),
        ("我想问一下那个" * 60 + "，然后查余额", []),
    ],
)
def test_the_words_that_join_wishes_split_a_sentence(text: str, pieces: list[str]) -> None:
    assert split_wishes(text) == pieces


async def test_two_wishes_are_named_and_done_one_after_the_other() -> None:
    talk = Talk()
    said = await talk.say("先查余额，然后给张三转500")
    assert "先查余额，再转账" in said and "1,234.00" in said
    assert talk.top.skill == "pay" and talk.top.values == {"payee": "张三", "amount": 50_000}
    await talk.say("确认")
    assert len(talk.orders.executed) == 1 and talk.state.later == []


async def test_the_second_wish_waits_until_the_first_is_confirmed() -> None:
    talk = Talk()
    await talk.say("给张三转500，然后给13800001234充话费50元")
    assert talk.top.skill == "pay" and talk.orders.executed == []
    said = await talk.say("确认")
    assert "接下来办充话费" in said and talk.top.skill == "topup" and len(talk.orders.executed) == 1
    await talk.say("确认")
    assert len(talk.orders.executed) == 2


async def test_after_a_cancel_the_other_wish_is_asked_about_and_not_just_done() -> None:
    talk = Talk()
    await talk.say("给张三转500，然后给13800001234充话费50元")
    said = await talk.say("取消")
    assert "您刚才还说要充话费，现在办吗" in said and talk.state.stack == []
    await talk.say("不是")
    assert talk.state.stack == [] and talk.state.later == [] and talk.orders.executed == []


async def test_a_sentence_whose_second_piece_is_no_wish_stays_whole() -> None:
    talk = Talk()
    await talk.say("给张三转500，然后麻烦快一点")
    assert talk.state.later == [] and talk.top.values["amount"] == 50_000


async def test_a_call_for_a_human_leaves_no_wish_behind() -> None:
    talk = Talk()
    await talk.say("给张三转500，然后给13800001234充话费50元")
    await talk.say("转人工")
    assert talk.state.later == []


async def test_and_what_of_asks_the_last_question_about_something_else() -> None:
    talk = Talk()
    assert "九点" in await talk.say("网点几点开门")
    assert "十点" in await talk.say("那周末呢")


async def test_and_what_of_means_nothing_without_a_question_before() -> None:
    talk = Talk()
    await talk.say("那李四呢")
    assert talk.state.topic is None


async def test_a_question_whose_pieces_sound_like_wishes_starts_nothing() -> None:
    talk = Talk()
    text = "给张三转500，然后给李四转300"
    heard = replace(hear_all(text), intent="faq", confidence=0.8)
    await talk.say(text, heard)
    assert talk.state.stack == [] and talk.state.later == []
