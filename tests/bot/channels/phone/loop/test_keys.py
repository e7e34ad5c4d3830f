"""Keys at every step, and the wishes about how we speak."""

from __future__ import annotations

import pytest

from bot.channels.phone.loop import Ask, DropHeard, Expect, Partial, Say, VoiceStarted
from bot.channels.phone.loop import manner as words
from tests.bot.channels.phone.loop.talk import Talk, greeted


def asked(*pieces: str, **more: object) -> Talk:
    """A call in which the assistant has asked something and was heard."""
    talk = greeted()
    talk.speak("转账", after_s=0.8)
    talk.reply(*(pieces or ("转给谁？",)), **more)
    talk.quiet()
    return talk


def test_before_anything_was_said_the_keys_are_the_menu():
    talk = greeted()
    talk.keys("2#")
    assert talk.texts == ["转账"]


def test_the_keys_choose_what_was_offered():
    talk = asked(choices=("确认", "修改", "取消"))
    talk.keys("3", after_s=2.0)
    assert talk.texts[-1] == "取消"


def test_a_single_key_waits_a_moment_for_another():
    talk = asked(choices=("一百", "二百"))
    talk.keys("100", after_s=2.0)
    assert len(talk.asked) == 1
    talk.wait(1.5)
    assert talk.texts[-1] == "100"


def test_hash_ends_an_entry_at_once():
    talk = asked()
    talk.keys("500#")
    assert talk.texts[-1] == "500"


def test_zero_is_a_human_at_every_step():
    for talk in (Talk(), greeted(), asked(), asked(expect=Expect.YES_NO, choices=("确认",))):
        talk.keys("0", after_s=2.0)
        assert talk.texts[-1] == "转人工"


def test_a_code_is_complete_with_its_sixth_digit_and_secret():
    talk = asked(expect=Expect.CODE)
    talk.keys("123456")
    assert talk.asked[-1] == Ask(2, "123456", secret=True)


def test_a_zero_at_the_head_of_a_code_is_a_digit():
    talk = asked(expect=Expect.CODE)
    talk.keys("012345")
    assert talk.texts[-1] == "012345"


def test_a_password_ends_with_hash_or_a_pause():
    talk = asked(expect=Expect.PASSWORD)
    talk.keys("9", after_s=8.0)
    assert talk.asked[-1] == Ask(2, "9", secret=True)


def test_half_a_code_is_no_try_at_it():
    talk = asked(expect=Expect.CODE)
    talk.keys("123", after_s=8.0)
    assert words.CLEARED in talk.said and len(talk.asked) == 1


def test_while_a_code_is_awaited_a_single_key_with_hash_is_a_choice_or_a_human():
    talk = asked(expect=Expect.CODE, choices=("重发", "取消"))
    talk.keys("1#")
    talk.reply("又发了一条。", expect=Expect.CODE, choices=("重发", "取消"))
    talk.keys("0#")
    assert [(ask.text, ask.secret) for ask in talk.asked[1:]] == [("重发", False), ("转人工", False)]


@pytest.mark.parametrize(("keys", "given"), [("1234", "1234"), ("123*", "123X"), ("12*1234", "1234")])
def test_the_end_of_an_identity_number_may_be_an_x(keys, given):
    talk = asked(expect=Expect.ID_TAIL)
    talk.keys(keys)
    assert talk.asked[-1] == Ask(2, given, secret=True)


def test_the_end_of_an_identity_number_may_be_spoken_and_is_a_secret_then_too():
    talk = asked(expect=Expect.ID_TAIL)
    talk.speak("三二幺叉")
    assert talk.asked[-1] == Ask(2, "321X", secret=True)


def test_star_takes_back_what_was_keyed():
    talk = asked(expect=Expect.CODE)
    talk.keys("123*")
    assert words.CLEARED in talk.said
    talk.keys("654321")
    assert talk.texts[-1] == "654321"


def test_star_alone_repeats_what_was_said():
    talk = asked("转给谁？")
    talk.keys("*")
    talk.quiet()
    assert talk.heard[-1] == "转给谁？" and talk.said.count("转给谁？") == 2


def test_hash_alone_lets_the_prompt_go_on():
    talk = Talk()
    talk.wait(1.0)
    talk.keys("#")
    talk.quiet()
    assert talk.heard == [*words.GREETING]


def test_keys_win_over_a_sentence_under_way():
    talk = asked()
    talk.tell(VoiceStarted())
    talk.wait(0.1)
    talk.tell(Partial("呃那个"))
    talk.keys("5")
    assert DropHeard() in [action for _, action in talk.log]
    talk.keys("00#")
    assert talk.texts[-1] == "500"


def test_a_choice_keyed_twice_is_asked_once():
    talk = asked(choices=("确认", "修改"))
    talk.keys("1#1#")
    assert talk.texts == ["转账", "确认"]


def test_an_endless_row_of_digits_ends_by_itself():
    talk = asked()
    talk.keys("12345678901234567890123")
    assert talk.texts[-1] == "12345678901234567890"


@pytest.mark.parametrize("wish", ["再说一遍", "什么？", "没听清", "你刚才说什么"])
def test_the_caller_may_have_it_repeated_without_asking_the_bank(wish):
    talk = asked("转给谁？")
    talk.speak(wish)
    talk.quiet()
    assert talk.heard[-1] == "转给谁？" and talk.texts == ["转账"]


@pytest.mark.parametrize("wish", ["说慢一点", "慢点", "太快了", "请你说慢一些"])
def test_slower_is_slower_for_the_rest_of_the_call_and_says_it_again(wish):
    talk = asked("转给谁？")
    talk.speak(wish)
    talk.quiet()
    assert talk.heard[-2:] == [words.SLOWER[0], "转给谁？"]
    talk.speak("李四", after_s=0.8)
    talk.reply("转多少？")
    rates = [action.rate for _, action in talk.log if isinstance(action, Say)]
    assert rates[0] == 1.0 and rates[-1] == 0.8


def test_faster_is_faster():
    talk = asked("转给谁？")
    talk.speak("说快一点")
    assert [action.rate for _, action in talk.log if isinstance(action, Say)][-1] == 1.2


def test_slower_has_an_end():
    talk = asked("转给谁？")
    for _ in range(6):
        talk.speak("再慢一点")
        talk.quiet()
    assert min(action.rate for _, action in talk.log if isinstance(action, Say)) == 0.6


def test_a_human_can_be_asked_for_at_any_moment():
    for talk in (Talk(), asked(expect=Expect.CODE), asked(expect=Expect.YES_NO, readback=True)):
        talk.speak("转人工")
        assert talk.texts[-1] == "转人工"


def test_what_is_said_again_slower_three_times_is_said_once_each_time():
    talk = asked("转给谁？")
    for _ in range(3):
        talk.speak("再慢一点")
        talk.quiet()
        assert talk.said[-2:] == [words.SLOWER[0], "转给谁？"]
    talk.speak("再说一遍")
    talk.quiet()
    assert talk.said[-2:] == ["转给谁？", "转给谁？"]


@pytest.mark.parametrize("heard", ["二四六八幺", "二四六", "二四六八幺零三"])
def test_a_code_of_which_digits_were_misheard_is_no_try_at_it(heard):
    talk = asked("请输入验证码。", expect=Expect.CODE)
    talk.speak(heard)
    talk.quiet()
    assert talk.texts == ["转账"]
    assert talk.said[-2:] == [words.NOT_HEARD, words.KEY_SECRETS[Expect.CODE]]
    talk.speak("二四六八幺零")
    assert talk.asked[-1] == Ask(2, "246810", secret=True)


def test_half_a_code_with_hash_is_no_try_at_it_either():
    talk = asked("请输入验证码。", expect=Expect.CODE)
    talk.keys("246#")
    talk.quiet()
    assert talk.texts == ["转账"] and talk.said[-2:] == [words.CLEARED, words.KEY_SECRETS[Expect.CODE]]


def test_another_number_for_the_code_may_be_said_while_one_is_awaited():
    talk = asked("请输入验证码。", expect=Expect.CODE)
    talk.speak("幺三八零零零零零零零五")
    assert talk.asked[-1] == Ask(2, "幺三八零零零零零零零五")
