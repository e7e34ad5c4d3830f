"""What was heard rather than read: the payee book decides between names, and what two may have been is asked."""

from __future__ import annotations

import pytest

from bot.dialogue.by_ear import ByEar, named
from tests.bot.dialogue.counter import Talk

DOUBT = 0.5


def unsure(text: str, doubtful: str, *others: str) -> ByEar:
    """Heard well, but for the characters of `doubtful`."""
    at = text.index(doubtful)
    sureness = [DOUBT if at <= place < at + len(doubtful) else 1.0 for place in range(len(text))]
    return ByEar(text, others, tuple(sureness))


def sure(text: str, *others: str) -> ByEar:
    return ByEar(text, others, (1.0,) * len(text))


@pytest.mark.parametrize(
    ("readings", "names", "text", "rivals"),
    [
        (("给张三转五百", "给张山转五百"), ("张山",), "给张山转五百", ()),
        (("给张三转五百", "给张山转五百"), ("张山", "张三"), "给张三转五百", ("张山",)),
        (("转给里斯五百块",), ("李四",), "转给李四五百块", ()),
        (("费账三转五百",), ("张三", "王芳"), "费张三转五百", ()),
        (("给章散转五百",), ("张三", "章伞"), "给张三转五百", ("章伞",)),
        (("给王芳转五百",), ("张山", "李四"), "给王芳转五百", ()),
        (("给王芳转五百",), (), "给王芳转五百", ()),
    ],
)
def test_a_reading_with_a_possible_name_comes_first_and_what_sounds_like_one_is_put_right(
    readings: tuple[str, ...], names: tuple[str, ...], text: str, rivals: tuple[str, ...]
) -> None:
    found = named(readings, names)
    assert (found.text, found.rivals) == (text, rivals)


async def test_the_book_decides_between_what_may_have_been_heard() -> None:
    talk = Talk()
    await talk.say("给章三转五百", by_ear=sure("给章三转五百", "给李四转五百"))
    assert talk.top.values["payee"] == "李四", "a reading that names somebody of the book comes first"
    talk = Talk()
    await talk.say("给章三转五百", by_ear=sure("给章三转五百"))
    assert talk.top.values["payee"] == "张三", "章三 is how 张三 may be written by who only hears it"


async def test_what_is_written_is_never_put_right_by_its_sound() -> None:
    talk = Talk()
    await talk.say("给章三转五百")
    assert "payee" not in talk.top.values


async def test_a_sentence_from_before_the_log_in_is_judged_by_the_book_after_it() -> None:
    talk = Talk(customer_id=None)
    await talk.say("给章三转五百", by_ear=sure("给章三转五百", "给李四转五百"))
    assert talk.top.skill == "identity_login"
    await talk.say("13800001234")
    talk.customer_id = "customer"
    said = await talk.prove()
    assert "收款人李四" in said and talk.top.said_by_ear is None


async def test_an_amount_heard_unsurely_is_asked_about_once_and_not_taken() -> None:
    talk = Talk()
    said = await talk.say("给张三转六百", by_ear=unsure("给张三转六百", "六", "给张三转九百", "给张三转刘百"))
    assert "金额是哪一个？" in said and "600.00" in said and "900.00" in said
    assert "amount" not in talk.top.values and not talk.orders.bodies
    said = await talk.say("第二个")
    assert "请您核对" in said and talk.top.values["amount"] == 90_000


async def test_who_answers_such_a_question_in_words_is_not_asked_it_again() -> None:
    talk = Talk()
    await talk.say("给张三转六百", by_ear=unsure("给张三转六百", "六", "给张三转九百"))
    said = await talk.say("六百", by_ear=unsure("六百", "六", "九百"))
    assert "请您核对" in said and talk.top.values["amount"] == 60_000


async def test_a_correction_heard_unsurely_is_asked_about_too_and_the_old_order_is_gone() -> None:
    talk = Talk()
    await talk.say("给张三转五百")
    await talk.say("不对，是六百", by_ear=unsure("不对，是六百", "六", "不对，是九百"))
    await talk.say("确认")
    assert not talk.orders.executed
    await talk.say("第一个")
    assert talk.top.values["amount"] == 60_000


async def test_of_two_names_in_the_book_an_unsure_one_is_asked_about_and_a_sure_one_taken() -> None:
    others = ("给李四转五百",)
    talk = Talk()
    said = await talk.say("给张三转五百", by_ear=unsure("给张三转五百", "张三", *others))
    assert "收款人是哪一个？" in said and "张三" in said and "李四" in said
    talk = Talk()
    said = await talk.say("给张三转五百", by_ear=sure("给张三转五百", *others))
    assert "收款人张三" in said


async def test_an_unsure_word_that_nothing_possible_competes_with_is_read_back_as_it_is() -> None:
    talk = Talk()
    said = await talk.say(
        "给张三转六百",
        by_ear=unsure("给张三转六百", "张三转六", "给张山转刘百", "给张三转负六百", "给章三转"),
    )
    assert "请您核对" in said and talk.top.values == {"payee": "张三", "amount": 60_000}


async def test_a_sound_at_the_read_back_that_is_like_a_name_changes_no_payee() -> None:
    talk = Talk()
    await talk.say("给张三转五百")
    await talk.say("里斯", by_ear=sure("里斯"))
    assert talk.top.values["payee"] == "张三"


async def test_readings_of_another_text_than_the_one_at_hand_are_of_no_use() -> None:
    talk = Talk()
    await talk.say("给章三转五百", by_ear=sure("给章三转六百", "给李四转六百"))
    assert "payee" not in talk.top.values
