"""Any phrase is written in the words of the model, and a rare character does not lose it."""

from __future__ import annotations

import pytest

from bot.channels.phone.hearing.spelling import Spelling, joined


@pytest.fixture
def spelling():
    return Spelling(set("给张李四转五百块查余额水").union({"余额", "查余额"}).__contains__)


def test_the_longest_known_words_are_used(spelling):
    assert spelling.words("查余额") == ["查余额"]
    assert spelling.words("给张四转五百块") == list("给张四转五百块")


def test_blanks_divide_words(spelling):
    assert spelling.words("查 余额") == ["查", "余额"]


def test_a_rare_character_is_spoken_for_by_one_that_sounds_the_same(spelling):
    assert spelling.words("给漳四转") == ["给", "张", "四", "转"]


def test_what_cannot_be_said_in_the_vocabulary_is_none(spelling):
    assert spelling.words("给黑四转") is None
    assert spelling.words("") is None


def test_the_unknown_word_is_kept_apart_and_not_read_out(spelling):
    assert spelling.words("[unk]") == ["[unk]"]
    assert joined(["给", "[unk]", "李四"]) == "给李四"
