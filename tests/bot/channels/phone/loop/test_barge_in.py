"""The caller has the word: what stops, what goes on, and what may not be confirmed."""

from __future__ import annotations

import pytest

from bot.channels.phone.loop import Expect, KeyPressed, Partial, Say, StopSound, VoiceStarted, VoiceStopped
from bot.channels.phone.loop.manner import GREETING
from tests.bot.channels.phone.loop.talk import Talk, greeted

READBACK = ("给李四转五百元，手续费零元。", "确认吗？")


def heard(talk: Talk) -> list[str]:
    """The end of what was heard, but for what the keys do."""
    return [piece for piece in talk.heard if "请按" not in piece][-2:]


def asked_something(**more: object) -> Talk:
    """A call whose first question is being answered: the reply is about to sound."""
    talk = greeted()
    talk.speak("给李四转五百块", after_s=0.8)
    talk.reply(*READBACK, expect=Expect.YES_NO, choices=("确认", "修改", "取消"), **more)
    return talk


def test_the_greeting_comes_at_once():
    talk = Talk()
    assert talk.log == [(0.0, Say(1, 0, GREETING))]


def test_sound_stops_the_moment_a_voice_is_heard():
    talk = Talk()
    talk.wait(1.0)
    assert talk.tell(VoiceStarted()) == [StopSound()]


def test_what_was_interrupted_by_words_is_never_heard_again():
    talk = asked_something()
    talk.wait(0.5)
    talk.speak("不对，改成六百")
    assert talk.texts == ["给李四转五百块", "不对，改成六百"]
    before = len(talk.said)
    talk.reply("改好了。")
    talk.wait(60.0)
    assert not {*READBACK} & {*talk.said[before:]}


@pytest.mark.parametrize("sound", ["嗯", "嗯嗯", "哦", "啊", "呃", "唉"])
def test_a_sound_of_listening_does_not_interrupt(sound):
    talk = asked_something()
    talk.wait(0.5)
    talk.speak(sound, seconds=0.3)
    talk.wait(10.0)
    assert talk.texts == ["给李四转五百块"]
    assert heard(talk) == [*READBACK]


def test_after_a_false_alarm_the_broken_piece_is_said_again_and_the_rest_follows():
    talk = asked_something()
    talk.wait(2.5)  # the first piece is heard, the second has begun
    talk.speak("", seconds=0.4)
    talk.wait(4.0)
    assert heard(talk) == [*READBACK]
    assert talk.said.count(READBACK[0]) == 1 and talk.said.count(READBACK[1]) == 2


def test_after_a_false_alarm_the_silence_is_short():
    talk = asked_something()
    talk.wait(0.5)
    stopped_s = talk.now_s
    talk.speak("", seconds=0.4, after_s=3.0)
    resumed_s = next(at_s for at_s, action in talk.log if isinstance(action, Say) and at_s > stopped_s)
    assert resumed_s - stopped_s < 1.3


def test_a_long_noise_without_words_does_not_keep_the_line_silent():
    talk = asked_something()
    talk.wait(0.5)
    talk.tell(VoiceStarted())
    started_s = talk.now_s
    talk.wait(1.3)
    assert talk.sounding and talk.times(Say)[-1] - started_s <= 1.2 + 1e-9
    talk.wait(6.0)
    assert heard(talk) == [*READBACK]


def test_on_a_noisy_line_only_words_interrupt():
    talk = asked_something()
    for _ in range(2):
        talk.wait(0.1)
        talk.speak("", seconds=0.3)
    assert talk.sounding
    assert talk.tell(VoiceStarted()) == []
    talk.wait(0.2)
    assert talk.tell(Partial("不对")) == [StopSound()]


def test_words_that_the_voice_detector_missed_interrupt_too():
    talk = asked_something()
    talk.wait(0.5)
    assert talk.tell(Partial("取消")) == [StopSound()]


@pytest.mark.parametrize("yes", ["好的", "对", "嗯", "确认", "确认办吧", "可以转了", "没问题"])
def test_a_yes_before_the_readback_was_heard_confirms_nothing(yes):
    talk = asked_something(readback=True)
    talk.wait(1.0)
    talk.speak(yes)
    talk.wait(10.0)
    assert talk.texts == ["给李四转五百块"]
    assert heard(talk) == [*READBACK]
    talk.speak(yes)
    assert talk.texts == ["给李四转五百块", yes]


def test_the_key_of_a_yes_confirms_nothing_either_before_the_readback_was_heard():
    talk = asked_something(readback=True)
    talk.wait(1.0)
    talk.keys("1#", after_s=10.0)
    assert talk.texts == ["给李四转五百块"] and heard(talk) == [*READBACK]
    talk.keys("1#")
    assert talk.texts[-1] == "确认"


@pytest.mark.parametrize("words", ["不对", "取消", "改成六百", "不是给李四", "转人工", "手续费多少"])
def test_a_no_or_a_change_is_taken_at_once(words):
    talk = asked_something(readback=True)
    talk.wait(0.5)
    talk.speak(words)
    assert talk.texts[-1] == words


def test_a_yes_while_the_bank_still_works_is_not_a_confirmation_of_what_comes():
    talk = greeted()
    talk.speak("给李四转五百块")
    talk.speak("好的", seconds=0.4)
    talk.reply(*READBACK, expect=Expect.YES_NO, readback=True)
    talk.wait(10.0)
    assert talk.texts == ["给李四转五百块"] and heard(talk) == [*READBACK]


def test_a_hum_is_an_answer_when_a_yes_or_no_was_asked_and_heard():
    talk = asked_something(readback=True)
    talk.quiet()
    talk.speak("嗯")
    assert talk.texts[-1] == "嗯"


def test_a_hum_is_no_answer_when_no_yes_or_no_was_asked():
    talk = greeted()
    talk.speak("呃")
    assert talk.texts == []


def test_a_reply_waits_until_the_caller_has_finished_speaking():
    talk = greeted()
    talk.speak("查余额")
    talk.tell(VoiceStarted())
    talk.wait(0.2)
    talk.tell(Partial("还有那个"))
    talk.reply("余额一千元。")
    assert not talk.sounding
    talk.final = ""
    talk.tell(VoiceStopped())
    talk.wait(2.0)
    assert talk.sounding and talk.said[-1] == "余额一千元。"


def test_a_reply_that_was_overtaken_by_a_new_question_is_not_said():
    talk = greeted()
    talk.speak("查余额")
    talk.speak("算了，查明细")
    talk.reply("余额一千元。", turn=1)
    talk.reply("最近三笔。", turn=2)
    talk.wait(10.0)
    assert "余额一千元。" not in talk.said and "最近三笔。" in talk.heard


def test_a_receipt_is_told_even_if_the_caller_has_gone_on():
    talk = greeted()
    talk.speak("确认")
    talk.speak("再查一下余额")
    talk.reply("转好了。", turn=1, keep=True)
    talk.reply("余额一千元。", turn=2)
    talk.wait(10.0)
    assert talk.heard[-2:] == ["转好了。", "余额一千元。"]


def test_a_key_stops_the_sound_at_once():
    talk = asked_something()
    talk.wait(0.5)
    assert StopSound() in talk.tell(KeyPressed("5"))


def test_a_yes_to_a_reply_that_was_cut_off_brings_it_again():
    talk = asked_something(readback=True)
    talk.wait(0.5)
    talk.speak("等一下，手续费多少")
    talk.wait(30.0)  # no answer comes, the caller is told so
    talk.speak("确认")
    talk.quiet()
    assert talk.texts[-1] != "确认" and heard(talk) == [*READBACK]
