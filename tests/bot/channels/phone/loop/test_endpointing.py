"""A caller's pause ends the sentence soon when it is complete, late in the middle of a number, and is learnt."""

from __future__ import annotations

import pytest

from bot.channels.phone.loop import Expect, Partial, TakeFinal, VoiceStarted, VoiceStopped
from bot.channels.phone.loop.endpointing import (
    COMPLETE,
    PAUSE_MAX_S,
    PAUSE_MIN_S,
    PAUSE_S,
    UNFINISHED,
    Endpointer,
)
from bot.channels.phone.loop.words import is_acknowledgement, is_back_channel, sounds_like_yes
from tests.bot.channels.phone.loop.talk import greeted


@pytest.mark.parametrize(
    ("text", "expect", "times"),
    [
        ("查余额", Expect.WORDS, 1.0),
        ("给李四转五百块", Expect.WORDS, 0.5),
        ("给李四转五百", Expect.WORDS, UNFINISHED),
        ("给李四转", Expect.WORDS, UNFINISHED),
        ("我想", Expect.WORDS, UNFINISHED),
        ("取消", Expect.WORDS, 0.5),
        ("确认", Expect.YES_NO, 0.5),
        ("不对", Expect.YES_NO, 0.5),
        ("一二三四五六", Expect.CODE, 0.5),
        ("一二三 四五", Expect.CODE, UNFINISHED),
        ("九八七", Expect.PASSWORD, UNFINISHED),
        ("", Expect.WORDS, 1.0),
    ],
)
def test_the_pause_follows_the_words(text, expect, times):
    assert Endpointer().silence_s(text, expect) == pytest.approx(PAUSE_S * times)


def test_a_caller_who_was_cut_off_gets_longer_pauses():
    ears = Endpointer()
    ears.ended(10.0)
    ears.started(10.5, while_we_spoke=False)
    assert ears.pause_s > PAUSE_S * 1.2


def test_an_interruption_of_our_speech_is_no_sign_of_having_cut_off():
    ears = Endpointer()
    ears.ended(10.0)
    ears.started(10.5, while_we_spoke=True)
    assert ears.pause_s <= PAUSE_S


def test_the_pause_stays_within_bounds_however_the_call_goes():
    quick, slow = Endpointer(), Endpointer()
    for at in range(200):
        quick.ended(at * 10.0)
        slow.ended(at * 10.0)
        slow.started(at * 10.0 + 0.5, while_we_spoke=False)
    assert quick.pause_s == PAUSE_MIN_S and slow.pause_s == PAUSE_MAX_S


def test_the_silence_the_detector_needed_counts():
    talk = greeted()
    talk.tell(VoiceStarted())
    talk.wait(0.5)
    talk.tell(Partial("查明细"))
    talk.tell(VoiceStopped(silence_s=0.2))
    at_s = talk.now_s
    talk.wait(1.0)
    assert talk.times(TakeFinal)[-1] - at_s == pytest.approx(PAUSE_S - 0.2)


def test_a_pause_within_a_sentence_does_not_split_it():
    talk = greeted()
    talk.tell(VoiceStarted())
    talk.tell(Partial("给李四转"))
    talk.wait(0.5)
    talk.tell(VoiceStopped())
    talk.wait(1.0)
    assert talk.times(TakeFinal) == []
    talk.tell(VoiceStarted())
    talk.final = "给李四转五百块"
    talk.tell(Partial(talk.final))
    talk.wait(0.5)
    talk.tell(VoiceStopped())
    talk.wait(0.5)
    assert talk.texts == ["给李四转五百块"]


def test_nobody_speaks_one_sentence_for_ever():
    talk = greeted()
    talk.final = "这是电视的声音"
    talk.tell(VoiceStarted())
    talk.tell(Partial("这是电视"))
    talk.wait(25.0)
    assert talk.texts == ["这是电视的声音"]


@pytest.mark.parametrize("text", ["嗯", "嗯嗯嗯", "呃，", "哦", "", "。"])
def test_sounds_of_listening(text):
    assert is_back_channel(text)


@pytest.mark.parametrize("text", ["不", "查", "嗯查余额", "五百", "喂", "要"])
def test_words_are_no_sounds_of_listening(text):
    assert not is_back_channel(text)


@pytest.mark.parametrize("text", ["好", "好的好的", "对对对", "嗯，是的", "OK", "确认", "没问题", "知道了"])
def test_acknowledgements(text):
    assert is_acknowledgement(text) and sounds_like_yes(text)


@pytest.mark.parametrize("text", ["不对", "不是", "别转", "改成六百", "取消", "可以查余额吗", "好多少钱"])
def test_what_no_yes_may_be_taken_for(text):
    assert not is_acknowledgement(text) and not sounds_like_yes(text)


def test_a_long_row_of_yes_is_read_in_no_time():
    assert not is_acknowledgement("对" * 500 + "x") and is_acknowledgement("对" * 500)


def test_who_says_one_of_the_choices_offered_is_answered_sooner():
    """Nobody waits to hear whether 查余额 goes on when 查余额 was offered; a longer sentence is waited for."""
    endpointer, offered = Endpointer(), ("查余额", "转账", "交电费")
    assert endpointer.silence_s("查余额", Expect.WORDS, offered) == pytest.approx(PAUSE_S * COMPLETE)
    assert endpointer.silence_s("查余额", Expect.WORDS) == pytest.approx(PAUSE_S)
    assert endpointer.silence_s("我要查余额", Expect.WORDS, offered) == pytest.approx(PAUSE_S)
