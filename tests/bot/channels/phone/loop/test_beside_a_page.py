"""A call beside a page: what a screen may show of it, and what the customer writes while it goes on."""

from __future__ import annotations

from bot.channels.phone.loop import (
    Doing,
    Expect,
    Glance,
    OwnerChanged,
    Partial,
    Replied,
    VoiceStarted,
    VoiceStopped,
    WrittenAnswer,
)
from bot.channels.phone.loop.manner import GREETING
from tests.bot.channels.phone.loop.talk import Talk, greeted

READBACK = ("给李四转五百元，手续费零元。", "确认吗？")


def test_a_screen_sees_what_is_said_piece_by_piece_then_that_we_listen():
    talk = Talk()
    assert talk.loop.glance == Glance(Doing.SPEAKING, saying=GREETING[0])
    talk.wait(2.1)
    assert talk.loop.glance == Glance(Doing.SPEAKING, saying=GREETING[1])
    talk.quiet()
    assert talk.loop.glance == Glance(Doing.LISTENING)


def test_a_screen_sees_the_words_as_they_come_and_then_that_the_bank_works():
    talk = greeted()
    talk.tell(VoiceStarted())
    talk.tell(Partial("给李四"))
    assert talk.loop.glance == Glance(Doing.LISTENING, heard="给李四")
    talk.final = "给李四转五百块"
    talk.tell(Partial(talk.final))
    talk.tell(VoiceStopped(0.2))
    talk.wait(0.7)
    assert talk.loop.glance == Glance(Doing.WORKING)


def test_no_screen_sees_a_code_that_is_spoken():
    talk = greeted()
    talk.speak("查余额")
    talk.reply("请输入验证码。", expect=Expect.CODE)
    talk.quiet()
    talk.tell(VoiceStarted())
    talk.tell(Partial("二四六八"))
    assert talk.loop.glance.heard == ""


def test_a_screen_sees_who_answers():
    talk = greeted()
    talk.tell(OwnerChanged("queue", 1))
    assert talk.loop.glance.doing is Doing.QUEUE
    talk.tell(OwnerChanged("agent"))
    talk.quiet()
    assert talk.loop.glance.doing is Doing.AGENT


def test_the_answer_to_what_was_written_cuts_off_what_was_being_said_and_decides_what_is_expected():
    talk = greeted()
    talk.speak("给李四转五百块", after_s=0.8)
    talk.reply(*READBACK, expect=Expect.YES_NO, readback=True)
    talk.wait(1.0)
    talk.tell(WrittenAnswer(Replied(0, ("请输入验证码。",), Expect.CODE)))
    talk.wait(10.0)
    assert READBACK[1] not in talk.heard and talk.heard[-1] == "请输入验证码。"
    assert talk.loop.expect is Expect.CODE


def test_what_was_keyed_before_the_customer_wrote_is_dropped():
    talk = greeted()
    talk.keys("13")
    talk.tell(WrittenAnswer(Replied(0, ("好的。",))))
    talk.wait(7.0)
    assert talk.texts == []


def test_who_writes_is_there_and_is_not_asked_whether_they_are():
    talk = greeted()
    talk.wait(7.0)
    talk.tell(WrittenAnswer(Replied(0, ("好的。",))))
    talk.wait(9.0)
    assert talk.said[-1] == "好的。"
