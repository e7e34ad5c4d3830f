"""The payee book and the grammar decide between what may have been heard; what may not be said is not taken."""

from __future__ import annotations

from bot.channels.phone.hearing.choosing import Hypothesis, choose, whole
from bot.channels.phone.hearing.grammars import closed, grammar
from bot.channels.phone.loop import Expect

WORDS = grammar(Expect.WORDS, ("张山", "李四"))


def heard(*texts):
    """Hypotheses of one character a word, each less likely than the one before."""
    return [
        Hypothesis(tuple(text.split() if " " in text else text), -float(at)) for at, text in enumerate(texts)
    ]


def test_a_reading_with_a_known_payee_is_preferred():
    assert choose(heard("给张三转五百", "给张山转五百"), WORDS).text == "给张山转五百"


def test_a_name_that_sounds_like_a_known_one_is_put_right():
    assert choose(heard("给章珊转五百"), WORDS).text == "给张山转五百"


def test_a_name_unlike_any_known_one_is_left_alone():
    assert choose(heard("给王芳转五百"), WORDS).text == "给王芳转五百"


def test_in_a_closed_grammar_only_its_phrases_come_out():
    menu = closed(("查余额", "转人工", "[unk]"))
    assert choose(heard("查人工", "转人工"), menu).text == "转人工"
    assert choose(heard("专人工"), menu).text == "转人工"
    assert choose(heard("今天天气好"), menu).text == ""
    assert choose(heard("查余额 [unk]"), menu).text in ("", "查余额")


def test_a_code_is_digits_or_a_wish_and_nothing_else():
    code = grammar(Expect.CODE)
    assert choose(heard("一二三取四五", "一二三七四五"), code).text == "一二三七四五"
    assert choose(heard("转 人工"), code).text == "转人工"
    assert choose(heard("查余额"), code).text == ""


def test_mostly_unknown_is_nothing():
    assert choose(heard("[unk] [unk] 转"), WORDS).text == ""


def test_nothing_heard_is_nothing():
    assert choose([], WORDS).text == "" and choose([], None).confidence == 0.0


def test_free_speech_takes_the_likeliest():
    assert choose(heard("今天天气好", "明天天气好"), None).text == "今天天气好"


def test_a_word_on_which_the_readings_agree_is_surer_than_one_on_which_they_differ():
    result = choose(heard("转五百", "转六百"), WORDS)
    sure = {word.text: word.confidence for word in result.words}
    assert sure["转"] > 0.99 and sure["百"] > 0.99 and 0.5 < sure["五"] < 0.9
    assert result.confidence == sure["五"] and result.alternatives == ("转六百",)


def test_what_was_said_never_shows_in_a_log():
    result = choose(heard("一二三四五六"), grammar(Expect.CODE))
    assert "一" not in repr(result) and "一" not in repr(result.words)


def test_phrases_of_a_closed_grammar_may_follow_one_another():
    menu = closed(("北京", "上海"))
    assert choose(heard("北京上海北京"), menu).text == "北京上海北京"
    assert choose(heard("北上京海", "上海北京"), menu).text == "上海北京"


def test_a_single_unsure_syllable_in_a_free_turn_is_nothing():
    unsure = [Hypothesis((one,), -0.1 * at) for at, one in enumerate("一七八四九")]
    assert choose(unsure, WORDS).text == ""
    assert choose([Hypothesis(("对",), 0.0), Hypothesis(("退",), -3.0)], WORDS).text == "对"


def test_of_a_sentence_with_a_pause_every_piece_may_have_been_something_else():
    pieces = [heard("给张三", "给张山"), heard("转五百", "转九百")]
    result = choose(whole(pieces), grammar(Expect.WORDS))
    assert result.text == "给张三转五百"
    assert set(result.alternatives) == {"给张山转五百", "给张三转九百", "给张山转九百"}
    assert choose(whole(pieces), WORDS).text == "给张山转五百"


def test_what_leaves_the_ears_tells_how_sure_every_character_is():
    result = choose(heard("转 五百 块", "转 九百 块"), WORDS)
    by_ear = result.by_ear
    assert by_ear.text == "转五百块" and by_ear.others == ("转九百块",)
    assert by_ear.sureness[0] > 0.99 and by_ear.sureness[1] == by_ear.sureness[2] < 0.9
    assert "五" not in repr(by_ear) and "九" not in repr(by_ear)


def test_the_sureness_of_a_name_put_right_is_that_of_what_was_heard():
    by_ear = choose(heard("给章珊转五百"), WORDS).by_ear
    assert by_ear.text == "给张山转五百" and len(by_ear.sureness) == len(by_ear.text)


def test_no_name_is_looked_for_in_what_is_whole_without_one():
    book = grammar(Expect.WORDS, ("张三",))
    assert choose(heard("查账单", "查张三"), book).text == "查账单"
    assert choose(heard("转账三百元", "转张三百元"), book).text == "转账三百元"
    assert choose(heard("给账单转三百元", "给张三转三百元"), book).text == "给张三转三百元"
