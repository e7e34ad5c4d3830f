"""What the line says of its own accord fits what may be answered at that moment."""

from __future__ import annotations

import pytest

from bot.channels.phone.loop import Expect, StageBroke
from bot.channels.phone.loop import manner as words
from bot.channels.phone.loop.prompts import Asked, without_speech
from tests.bot.channels.phone.loop.talk import Talk, greeted

OFFERED = ("确认", "修改", "取消")
TO_SPEAK = ("请讲", "请说", "我在听", "声音", "说法", "再说")


def deaf() -> Talk:
    """A call in which nothing the caller says is heard, from the beginning."""
    talk = Talk(pick_up=False)
    talk.tell(StageBroke("hearing"))
    talk.pick_up()
    talk.quiet()
    return talk


@pytest.mark.parametrize("expect", Expect)
def test_where_hearing_breaks_the_keys_that_are_told_are_those_of_this_moment(expect: Expect):
    talk = greeted()
    talk.speak("给李四转五百")
    talk.reply("请您核对。", expect=expect, choices=OFFERED)
    talk.quiet()
    talk.tell(StageBroke("hearing"))
    talk.quiet()
    told = "".join(talk.said[talk.said.index(words.HEARING_BROKE) :])
    assert "查余额" not in told and "确认请按一" in told
    assert expect not in words.KEY_SECRETS or words.KEY_SECRETS[expect] in told
    talk.keys("1#", after_s=2.0)
    assert talk.texts[-1] == "确认"


def test_a_line_without_ears_greets_with_the_keys():
    talk = deaf()
    assert talk.heard == [
        words.GREETING[0],
        words.DEAF,
        "查余额请按一，转账请按二，交电费请按三，转人工请按零。",
    ]


def test_a_caller_who_cannot_be_heard_is_never_asked_to_speak():
    talk = deaf()
    talk.keys("*", after_s=8.0)
    talk.keys("2#")
    talk.reply("转给谁？", "说收款人的名字就行。", choices=("妈妈", "李四"))
    talk.wait(90.0)
    assert "转给谁？" in talk.said and talk.loop.over
    assert not [piece for piece in talk.said if any(word in piece for word in TO_SPEAK)]


@pytest.mark.parametrize(
    ("piece", "left"),
    [
        ("说收款人的名字就行。", ""),
        ("没收到的话，六十秒后可以说重发。", ""),
        ("不想等了就说取消排队。", ""),
        ("要换手机号请直接说号码。", ""),
        ("没太听明白，您可以换个说法，", "没太听明白。"),
        ("还差登录，请输入密码，或者刚收到的验证码；", "还差登录，请输入密码，或者刚收到的验证码；"),
        ("前面说过的同事都看得到，不用再重复。", "前面说过的同事都看得到，不用再重复。"),
        ("尾号幺六九幺已用四百四十二元，", "尾号幺六九幺已用四百四十二元，"),
        ("请按键输入六位验证码。", "请按键输入六位验证码。"),
    ],
)
def test_what_tells_a_caller_to_speak_is_left_out_and_nothing_else(piece: str, left: str):
    assert without_speech(piece) == left


def test_who_answers_by_keys_is_told_all_of_them_at_once_and_who_speaks_is_not():
    payees = ("妈妈", "房东", "张三", "李四", "王小明")
    talk = greeted()
    talk.keys("2#")
    talk.reply("转给谁？", choices=payees)
    talk.quiet()
    assert talk.said[-2:] == [
        "妈妈请按一，房东请按二，张三请按三。",
        "李四请按四，王小明请按五，转人工请按零。",
    ]
    talk.speak("我要查余额")
    talk.reply("转给谁？", choices=payees)
    talk.quiet()
    assert talk.said[-1] == "转给谁？"


def test_who_has_keyed_nothing_but_a_code_is_not_taken_for_one_who_answers_by_keys():
    talk = greeted()
    talk.speak("查余额")
    talk.reply("请输入验证码。", expect=Expect.CODE, choices=("重发", "取消"))
    talk.keys("246810")
    talk.reply("余额一百元。", choices=words.MENU)
    talk.quiet()
    assert talk.said[-1] == "余额一百元。"


def test_while_a_code_is_awaited_who_answers_by_keys_hears_how_to_get_another_one():
    talk = greeted()
    talk.keys("1#")
    talk.reply("验证码已发。", expect=Expect.CODE, choices=("重发", "取消"))
    talk.quiet()
    assert talk.said[-2:] == [words.KEY_SECRETS[Expect.CODE], "重发请按一再按井号，取消请按二再按井号。"]


def test_a_key_that_chooses_nothing_is_said_to_be_none_and_becomes_no_amount():
    talk = greeted()
    talk.speak("转账")
    talk.reply("转给谁？", choices=("妈妈", "房东"))
    talk.quiet()
    talk.keys("9#")
    talk.quiet()
    assert talk.said[-2:] == [words.NO_SUCH_KEY, "妈妈请按一，房东请按二，转人工请按零。"]
    assert talk.texts == ["转账"]


def test_a_single_digit_is_a_number_where_nothing_is_offered():
    talk = greeted()
    talk.speak("转账")
    talk.reply("转多少？")
    talk.keys("9#")
    assert talk.texts[-1] == "9"


def test_a_human_who_is_offered_is_not_offered_twice():
    assert Asked(Expect.WORDS, ("转人工", "不用了")).keys() == ("转人工请按一，不用了请按二。",)


def test_an_answer_that_tells_its_own_keys_is_not_followed_by_them_again():
    talk = greeted()
    talk.keys("1#")
    talk.reply("想问的是哪一个？", "网点能停车吗，请按一。", choices=("网点能停车吗", "转人工"))
    talk.quiet()
    assert talk.said[-1] == "网点能停车吗，请按一。"
