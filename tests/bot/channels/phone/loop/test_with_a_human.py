"""Waiting for a human, speaking with one who reads, and coming back from one."""

from __future__ import annotations

from bot.channels.phone.loop import (
    Announced,
    Expect,
    HoldTone,
    OwnerChanged,
    Prompted,
    Replied,
    StageBroke,
    VoiceStarted,
)
from bot.channels.phone.loop import manner as words
from tests.bot.channels.phone.loop.talk import Talk, greeted

QUESTION = "您是要挂失吗？"
CONFIRM = ("确认", "修改", "取消")


def in_queue(**more: object) -> Talk:
    """A call that waits for a human."""
    talk = greeted(**more)
    talk.speak("转人工", after_s=0.8)
    talk.reply("正在为您转接人工。", owner="queue", choices=(words.LEAVE_QUEUE,))
    talk.quiet()
    return talk


def with_agent() -> Talk:
    """A call of an agent who reads; the assistant's last sentence was cut off by the claim."""
    talk = greeted()
    talk.speak("转人工", after_s=0.8)
    talk.reply("正在为您转接人工。", "请稍等。", owner="queue", choices=(words.LEAVE_QUEUE,))
    talk.wait(1.0)
    talk.tell(OwnerChanged("agent"))
    talk.quiet()
    return talk


def test_who_waits_hears_a_quiet_tone_between_the_words():
    talk = in_queue()
    talk.tell(OwnerChanged("queue", ahead=2))
    talk.wait(29.0)
    gaps = [b - a for a, b in zip(talk.times(HoldTone), talk.times(HoldTone)[1:], strict=False)]
    assert len(gaps) >= 3 and max(gaps) <= 6.0


def test_what_is_said_in_the_queue_is_taken_note_of():
    talk = in_queue()
    talk.speak("我的卡被吞了", after_s=0.8)
    talk.reply(owner="queue")
    talk.quiet()
    assert talk.said[-1] == words.NOTED_IN_QUEUE[0]


def test_who_waits_and_answers_by_keys_is_told_the_key_that_leaves_the_queue():
    talk = in_queue()
    talk.tell(StageBroke("hearing"))
    talk.wait(40.0)
    assert "取消排队请按一。" in talk.said
    talk.keys("1#")
    assert talk.texts[-1] == words.LEAVE_QUEUE


def test_who_waits_for_a_human_is_not_told_the_key_for_one():
    talk = in_queue()
    talk.tell(VoiceStarted())
    talk.wait(12.0)
    talk.quiet()
    told = "".join(talk.said[talk.said.index(words.TOO_NOISY) :])
    assert "取消排队请按一" in told and "转人工" not in told


def test_who_waits_and_asks_for_a_human_by_key_hears_that_they_are_waiting():
    talk = in_queue()
    talk.keys("0#")
    talk.quiet()
    assert talk.texts == ["转人工"] and "请稍等" in talk.said[-1]


def test_a_yes_to_an_agents_question_reaches_the_agent():
    talk = with_agent()
    talk.tell(Announced((QUESTION,)))
    talk.quiet()
    said = len(talk.said)
    talk.speak("是的")
    talk.speak("嗯")
    assert talk.texts[-2:] == ["是的", "嗯"] and len(talk.said) == said


def test_a_yes_into_an_agents_question_reaches_the_agent_and_the_question_is_heard():
    talk = with_agent()
    talk.tell(Announced((QUESTION, "卡号后四位是多少？")))
    talk.wait(0.5)
    talk.speak("对")
    talk.quiet()
    assert talk.texts[-1] == "对" and talk.heard[-2:] == [QUESTION, "卡号后四位是多少？"]


def test_what_an_agent_wrote_is_said_again_and_not_what_the_assistant_said_before():
    talk = with_agent()
    talk.tell(Announced((QUESTION,)))
    talk.quiet()
    talk.speak("再说一遍")
    talk.quiet()
    assert talk.said[-1] == QUESTION and talk.texts == ["转人工"]


def test_before_an_agent_has_written_anything_the_wish_to_hear_it_again_goes_to_the_agent():
    talk = with_agent()
    talk.speak("再说一遍")
    assert talk.texts[-1] == "再说一遍"


def test_an_agent_who_writes_nothing_does_not_leave_the_caller_in_silence():
    talk = with_agent()
    talk.speak("我的卡被吞了", after_s=0.0)
    asked_s = talk.now_s
    talk.wait(20.0)
    assert talk.said[-1] == words.AGENT_SILENT[0]
    assert 14.0 <= talk.time_of(words.AGENT_SILENT[0]) - asked_s <= 16.0
    talk.wait(80.0)
    assert talk.said.count(words.AGENT_SILENT[0]) == 3
    talk.tell(Announced((QUESTION,)))
    talk.wait(300.0)
    assert talk.said[-1] == QUESTION, "it is the caller's turn"


def test_keys_reach_an_agent_who_reads_and_zero_says_who_is_there():
    talk = with_agent()
    talk.keys("6781#")
    assert talk.texts[-1] == "6781"
    talk.keys("0", after_s=2.0)
    talk.quiet()
    assert talk.said[-1] == words.AGENT_IS_HERE[0] and talk.texts[-1] == "6781"


def test_a_code_that_was_awaited_is_not_awaited_by_an_agent():
    talk = greeted()
    talk.speak("查余额", after_s=0.8)
    talk.reply("请输入验证码。", expect=Expect.CODE, choices=("重发", "取消"))
    talk.quiet()
    talk.tell(OwnerChanged("queue", 1))
    talk.tell(OwnerChanged("agent"))
    assert talk.loop.expect is Expect.WORDS and talk.loop.phrases == ()


def test_what_waits_to_be_confirmed_comes_back_from_an_agent_with_its_keys_and_its_guard():
    talk = with_agent()
    read_back = Replied(0, ("我继续帮您。", "要办吗？"), Expect.YES_NO, CONFIRM, readback=True)
    talk.tell(OwnerChanged("bot"))
    talk.tell(Prompted(read_back))
    talk.wait(1.0)
    talk.speak("好")
    assert talk.texts[-1] == "转人工", "nobody confirms what they have not heard"
    talk.quiet()
    assert talk.said[-1] == "确认请按一，修改请按二，取消请按三。" and talk.loop.expect is Expect.YES_NO
    talk.keys("1#")
    assert talk.texts[-1] == "确认"


def test_what_comes_unasked_and_wants_an_answer_does_not_cut_off_what_is_being_said():
    talk = greeted()
    talk.speak("查余额", after_s=0.8)
    talk.reply("余额一千元。", "可用一千元。", choices=words.MENU)
    talk.wait(0.5)
    talk.tell(Prompted(Replied(0, ("投诉有答复了。",), choices=("满意", "不满意"))))
    talk.quiet()
    assert talk.heard[-3:] == ["余额一千元。", "可用一千元。", "投诉有答复了。"]
    talk.keys("2#")
    assert talk.texts[-1] == "不满意"


def test_a_telephone_in_a_pocket_is_put_through_once_and_then_let_go():
    talk = in_queue(human_on_duty=True)
    talk.tell(OwnerChanged("bot"))
    for _ in range(4):
        talk.wait(60.0)
        if not talk.loop.over and len(talk.asked) == 2:
            talk.reply("同事都不在。", turn=2)
    assert talk.texts == ["转人工", "转人工"] and talk.loop.over


def test_no_call_with_the_assistant_lasts_for_ever():
    talk = greeted()
    while not talk.loop.over and talk.now_s < 3 * 3600:
        talk.speak("今天天气不错")
        if len(talk.asked) and not talk.loop.over:
            talk.reply("我只懂银行的事。", choices=words.MENU)
        talk.wait(6.0)
    assert words.GOODBYE_LONG[0] in talk.heard
    assert talk.now_s < talk.loop._manner.call_max_s + 60.0


def test_waiting_for_a_human_is_not_ended_by_the_length_of_the_call():
    talk = in_queue()
    talk.wait(2 * talk.loop._manner.call_max_s)
    assert not talk.loop.over
