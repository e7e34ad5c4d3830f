"""What sounds alike is near, what does not is far, and a tie is nobody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.reading.pinyin import apart, distance, nearest, syllables

CHARS = st.text("张章王黄李里陈程四十是零一幺山三A9", max_size=6)


@pytest.mark.parametrize(("one", "other"), [("张三", "章三"), ("幺零零", "一零零"), ("余额", "鱼鹅")])
def test_homophones_are_no_distance_apart(one, other):
    assert distance(one, other) == 0.0


@pytest.mark.parametrize(
    ("near", "far"), [("张山", "李山"), ("张桑", "张伟"), ("昌三", "五三"), ("藏三", "李三")]
)
def test_what_sounds_alike_is_nearer_than_what_does_not(near, far):
    assert distance("张三", near) < distance("张三", far)


@given(CHARS, CHARS, CHARS)
def test_the_distance_is_one_of_geometry_scaled_to_one(one, two, three):
    assert 0.0 <= distance(one, two) <= 1.0
    assert distance(one, one) == 0.0
    assert distance(one, two) == pytest.approx(distance(two, one))
    raw = {
        pair: distance(*pair) * max(map(len, pair), default=0)
        for pair in ((one, two), (two, three), (one, three))
    }
    assert raw[one, three] <= raw[one, two] + raw[two, three] + 1e-9


def test_every_character_has_a_syllable():
    assert [len(syllables(text)) for text in ("给李四转500", "", "ＡＢ")] == [7, 0, 2]


def test_sounds_of_other_languages_are_compared_as_they_stand():
    assert apart("A", "A") == 0.0 and apart("A", "9") == 1.0


def test_the_nearest_within_the_limit_is_taken_and_nothing_beyond_it():
    assert nearest("章珊", ("张山", "李四"), 0.3) == "张山"
    assert nearest("上海", ("张山", "李四"), 0.3) is None
    assert nearest("张山", (), 0.3) is None


def test_between_two_that_sound_the_same_nobody_is_chosen():
    assert nearest("章珊", ("张山", "张珊"), 0.3) is None
    assert nearest("张珊", ("张山", "张珊"), 0.3) == "张珊"
