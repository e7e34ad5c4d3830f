"""Nobody is left in silence: prompts, fillers, broken stages, waiting for a human."""

from __future__ import annotations

import pytest

from bot.channels.phone.loop import (
    AgentListens,
    Announced,
    Ask,
    Bridge,
    BusyTone,
    CallerGone,
    Expect,
    HangUp,
    Manner,
    OnHold,
    OwnerChanged,
    Partial,
    Say,
    StageBroke,
    TakeFinal,
    Tick,
    TurnBroke,
    VoiceStarted,
    VoiceStopped,
)
from bot.channels.phone.loop import manner as words
from tests.bot.channels.phone.loop.talk import PIECE_S, greeted

MENU_TOLD = "查余额请按一，转账请按二，交电费请按三，转人工请按零。"


def test_a_silent_caller_is_asked_twice_and_let_go_with_8_seconds_of_silence_before_each():
    talk = greeted()
    quiet_s = talk.now_s
    talk.wait(60.0)
    first, second = (talk.time_of(piece) - quiet_s for piece in words.STILL_THERE)
    goodbye_s = talk.time_of(words.GOODBYE_SILENT[0]) - quiet_s
    assert first == 8.0 and second == first + 2 * PIECE_S + 8.0 and goodbye_s == second + PIECE_S + 8.0
    assert talk.times(HangUp) == [quiet_s + goodbye_s + 2 * PIECE_S] and talk.loop.over


def test_the_keys_are_told_into_a_silence_once():
    talk = greeted()
    talk.wait(60.0)
    assert sum("转人工请按零" in piece for piece in talk.said) == 1


def test_a_caller_who_took_part_is_put_through_instead_when_somebody_is_on_duty():
    talk = greeted(human_on_duty=True)
    talk.speak("查余额", after_s=0.8)
    talk.reply("余额一千元。")
    talk.wait(40.0)
    assert talk.texts == ["查余额", "转人工"] and talk.times(HangUp) == []


def test_a_line_that_never_spoke_is_not_put_through():
    talk = greeted(human_on_duty=True)
    talk.wait(60.0)
    assert talk.texts == [] and talk.loop.over


def test_a_word_during_the_goodbye_keeps_the_call():
    talk = greeted()
    talk.wait(25.0)
    talk.speak("喂，我还在")
    talk.wait(5.0)
    assert not talk.loop.over and talk.texts == ["喂，我还在"]


def test_noise_does_not_restart_the_clock_of_silence():
    talk = greeted()
    quiet_s = talk.now_s
    for _ in range(3):
        talk.wait(1.0)
        talk.speak("", seconds=0.4, after_s=1.0)
    talk.wait(8.0)
    assert talk.time_of(words.STILL_THERE[0]) - quiet_s == 8.0


def test_a_constant_noise_is_told_and_the_keys_are_offered():
    talk = greeted()
    talk.tell(VoiceStarted())
    started_s = talk.now_s
    talk.wait(12.0)
    assert words.TOO_NOISY in talk.said and talk.time_of(words.TOO_NOISY) - started_s <= 8.0 + PIECE_S * 2


def test_a_wait_of_more_than_a_second_is_filled_and_then_again():
    talk = greeted()
    talk.speak("查余额", after_s=0.0)
    ended_s = talk.now_s - 0.2
    talk.wait(12.0)
    fillers_s = [talk.time_of(pieces[0]) - ended_s for pieces in words.FILLERS]
    assert fillers_s == pytest.approx([1.0, 6.0, 11.0], abs=0.01)


def test_a_quick_answer_needs_no_filler():
    talk = greeted()
    talk.speak("查余额", after_s=0.8)
    talk.reply("余额一千元。")
    talk.wait(5.0)
    assert words.FILLERS[0][0] not in talk.said


def test_an_answer_during_a_filler_follows_it():
    talk = greeted()
    talk.speak("查余额", after_s=1.2)
    talk.reply("余额一千元。")
    talk.wait(10.0)
    assert talk.heard[-2:] == [words.FILLERS[0][0], "余额一千元。"]


def test_a_turn_without_an_answer_is_owned_up_to_and_its_late_answer_still_told():
    talk = greeted()
    talk.speak("查余额")
    talk.wait(24.0)
    assert words.TOO_SLOW[0] in talk.heard
    talk.reply("余额一千元。")
    talk.wait(10.0)
    assert talk.heard[-1] == "余额一千元。"


def test_a_turn_that_breaks_is_owned_up_to():
    talk = greeted()
    talk.speak("查余额", after_s=0.8)
    talk.tell(TurnBroke(talk.asked[-1].turn))
    talk.quiet()
    assert talk.heard[-2:] == [*words.TURN_BROKE]


def test_without_hearing_the_caller_is_told_and_keys_still_work():
    talk = greeted()
    talk.tell(StageBroke("hearing"))
    talk.quiet()
    assert talk.heard[-2:] == [words.HEARING_BROKE, MENU_TOLD]
    assert talk.tell(VoiceStarted()) == [] and talk.tell(Partial("查余额")) == []
    talk.keys("1#")
    assert talk.texts == [words.MENU[0]]


def test_a_recogniser_that_twice_says_nothing_at_all_counts_as_broken():
    talk = greeted()
    talk.loop.handle(VoiceStarted(), talk.now_s)
    for _ in range(2):
        talk.loop.handle(VoiceStarted(), talk.now_s)
        talk.loop.handle(VoiceStopped(), talk.now_s)
        talk.now_s += 0.7
        assert TakeFinal() in talk.loop.handle(Tick(), talk.now_s)
        talk.now_s += 2.1
        actions = talk.loop.handle(Tick(), talk.now_s)
    assert [action.pieces for action in actions if isinstance(action, Say)] == [
        (words.HEARING_BROKE, MENU_TOLD)
    ]


def test_without_a_voice_the_caller_hears_the_busy_tone_and_not_silence():
    talk = greeted()
    assert talk.tell(StageBroke("speaking")) == [BusyTone(), HangUp()]
    assert talk.loop.over


def test_a_caller_who_waits_for_a_human_hears_so_every_half_minute_and_is_never_hung_up_on():
    talk = greeted()
    talk.speak("转人工", after_s=0.8)
    talk.reply("好的，正在为您转接。", owner="queue")
    talk.tell(OwnerChanged("queue", ahead=2))
    talk.wait(100.0)
    assert talk.said.count("前面还有两位，请稍等。") == 3 and not talk.loop.over


def test_an_agent_who_cannot_hear_the_caller_reads_what_was_recognised_and_no_filler_disturbs():
    talk = greeted()
    talk.tell(OwnerChanged("agent"))
    talk.quiet()
    assert talk.said[-2:] == [*words.AGENT_READS]
    said = len(talk.said)
    talk.speak("我的卡被吞了", after_s=14.0)
    assert talk.asked == [Ask(1, "我的卡被吞了")] and len(talk.said) == said
    talk.tell(Announced(("您在哪家网点？",)))
    talk.quiet()
    talk.speak("建国路")
    assert talk.texts == ["我的卡被吞了", "建国路"]


def test_with_an_agent_the_assistant_is_silent_until_the_call_comes_back():
    talk = greeted()
    talk.speak("转人工", after_s=0.8)
    talk.reply("好的，正在为您转接。", owner="queue")
    talk.quiet()
    talk.tell(OwnerChanged("agent"))
    talk.quiet()
    talk.tell(AgentListens(True))
    talk.quiet()
    assert talk.said[-1] == words.AGENT_HERE[-1] and talk.log[-1][1] == Bridge(True)
    seen = len(talk.log)
    talk.speak("你好")
    talk.keys("1#")
    talk.wait(120.0)
    assert len(talk.log) == seen
    talk.tell(OwnerChanged("bot"))
    assert talk.log[seen][1] == Bridge(False)


def test_who_spoke_and_was_not_understood_is_told_so_at_once_with_the_keys():
    talk = greeted()
    talk.tell(VoiceStarted())
    talk.tell(Partial("杂粮"))
    talk.wait(0.8)
    talk.tell(VoiceStopped(0.2))
    talk.final = ""
    talk.wait(1.5)
    talk.quiet()
    assert talk.said[-2:] == [words.NOT_HEARD, "查余额请按一，转账请按二，交电费请按三。"]
    assert talk.asked == []


def test_on_hold_nothing_is_said_or_heard_and_afterwards_the_prompt_goes_on():
    talk = greeted()
    talk.speak("查余额", after_s=0.8)
    talk.reply("余额一千元。", "还有什么要办的？")
    talk.wait(1.0)
    talk.tell(OnHold(True))
    heard = list(talk.heard)
    talk.speak("好听的音乐")
    talk.wait(120.0)
    assert talk.heard == heard and not talk.sounding and talk.texts == ["查余额"]
    talk.tell(OnHold(False))
    talk.wait(4.1)
    assert talk.heard[-2:] == ["余额一千元。", "还有什么要办的？"]
    talk.wait(7.0)
    assert words.STILL_THERE[0] not in talk.said
    talk.wait(1.5)
    assert words.STILL_THERE[0] in talk.said


def test_what_is_announced_waits_for_its_turn():
    talk = greeted()
    talk.speak("查余额", after_s=0.8)
    talk.reply("余额一千元。")
    talk.tell(Announced(("您的转账已到账。",)))
    talk.wait(6.0)
    assert talk.heard[-2:] == ["余额一千元。", "您的转账已到账。"]


def test_a_closed_conversation_is_ended_with_a_goodbye():
    talk = greeted()
    talk.tell(OwnerChanged("closed"))
    talk.quiet()
    assert talk.heard[-1] == words.GOODBYE_CLOSED[0] and talk.log[-1][1] == HangUp()


@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.5, 4.5, 5.3, 6.5, 12.5, 30.0])
def test_after_the_caller_has_gone_nothing_is_done_at_any_step(seconds):
    talk = greeted()
    talk.wait(min(seconds, 1.0))
    talk.tell(VoiceStarted())
    talk.wait(0.3)
    talk.tell(Partial("查余额"))
    talk.final = "查余额"
    talk.tell(VoiceStopped())
    talk.wait(seconds)
    talk.tell(CallerGone())
    seen = len(talk.log)
    for ask in talk.asked:
        talk.reply("余额一千元。", turn=ask.turn)
    talk.wait(60.0)
    assert len(talk.log) == seen and talk.loop.wake_s is None


def test_a_shorter_manner_is_kept():
    talk = greeted(manner=Manner(silence_s=(2.0, 2.0)))
    quiet_s = talk.now_s
    talk.wait(10.0)
    assert talk.time_of(words.STILL_THERE[0]) - quiet_s == 2.0
    assert talk.time_of(words.GOODBYE_SILENT[0]) > quiet_s + 4.0 - 1e-9


def test_a_secret_is_marked_and_does_not_show():
    talk = greeted()
    talk.speak("登录", after_s=0.8)
    talk.reply("请说验证码。", expect=Expect.CODE)
    talk.quiet()
    talk.speak("幺 二 三 四 五 六")
    assert talk.asked[-1] == Ask(2, "123456", secret=True)
    assert "123456" not in repr(talk.asked[-1])


def test_a_filler_that_a_noise_kept_back_is_said_when_the_noise_is_over():
    talk = greeted()
    talk.speak("查余额", after_s=0.7)
    ended_s = talk.now_s - 0.7
    talk.wait(0.15)
    talk.tell(VoiceStarted())
    talk.wait(0.5)
    talk.tell(VoiceStopped(0.2))
    talk.wait(10.0)
    assert talk.time_of(words.FILLERS[0][0]) - ended_s < 2.5


def test_a_noise_without_words_that_never_ends_keeps_no_filler_back():
    talk = greeted()
    talk.speak("查余额", after_s=0.7)
    ended_s = talk.now_s - 0.7
    talk.tell(VoiceStarted())
    talk.wait(7.0)
    assert talk.time_of(words.FILLERS[0][0]) - ended_s < 2.5


def test_a_sentence_that_the_recogniser_loses_is_asked_for_again_at_once():
    talk = greeted()
    talk.loop.handle(VoiceStarted(), talk.now_s)
    talk.loop.handle(Partial("查余额"), talk.now_s + 0.5)
    talk.loop.handle(VoiceStopped(0.2), talk.now_s + 1.0)
    talk.loop.handle(Tick(), talk.now_s + 2.0)
    actions = talk.loop.handle(Tick(), talk.now_s + 4.1)
    assert [action.pieces[0] for action in actions if isinstance(action, Say)] == [words.NOT_HEARD]
