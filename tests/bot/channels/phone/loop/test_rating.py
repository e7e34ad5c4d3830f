"""Who stays on the line after an agent's service is asked for a rating by key, once, and is let go in any case."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.loop import HangUp, KeyPressed, OwnerChanged, Rate
from bot.channels.phone.loop import manner as words
from bot.channels.phone.loop.manner import Manner
from tests.bot.channels.phone.loop.talk import Talk, greeted


def served(*, may_rate: bool = True) -> Talk:
    talk = greeted()
    talk.tell(OwnerChanged("agent"))
    talk.quiet()
    talk.tell(OwnerChanged("closed", may_rate=may_rate))
    return talk


def scores(talk: Talk) -> list[int]:
    return [action.score for _, action in talk.log if isinstance(action, Rate)]


@pytest.mark.parametrize(("key", "score"), [("1", 5), ("2", 4), ("3", 3), ("4", 2), ("5", 1)])
def test_each_key_is_a_score(key: str, score: int) -> None:
    talk = served()
    talk.quiet()
    assert tuple(talk.heard[-4:]) == words.RATE
    talk.keys(key)
    talk.quiet()
    assert scores(talk) == [score]
    assert tuple(talk.heard[-2:]) == (*words.RATED, *words.GOODBYE_CLOSED) and talk.log[-1][1] == HangUp()


def test_a_key_need_not_wait_for_the_end_of_the_question() -> None:
    talk = served()
    talk.wait(0.5)
    talk.keys("1")
    talk.quiet()
    assert scores(talk) == [5] and words.RATE[-1] not in talk.heard and talk.loop.over


def test_nobody_waits_for_a_rating_longer_than_is_polite() -> None:
    talk = served()
    talk.quiet()
    talk.wait(Manner().rate_s + 0.1)
    talk.quiet()
    assert scores(talk) == [] and talk.heard[-1] == words.GOODBYE_CLOSED[0] and talk.loop.over


def test_a_star_asks_again_and_so_does_a_first_wrong_key() -> None:
    talk = served()
    talk.wait(0.5)
    talk.keys("*8")
    talk.quiet()
    assert tuple(talk.heard[-4:]) == words.RATE and scores(talk) == []
    talk.keys("0")
    talk.quiet()
    assert talk.heard[-1] == words.GOODBYE_CLOSED[0] and talk.loop.over and scores(talk) == []


def test_where_nothing_may_be_rated_nothing_is_asked() -> None:
    talk = served(may_rate=False)
    talk.quiet()
    assert words.RATE[0] not in talk.said and talk.loop.over


def test_who_goes_on_with_the_assistant_is_not_rating_any_more() -> None:
    talk = served()
    talk.tell(OwnerChanged("bot"))
    talk.quiet()
    talk.keys("1", after_s=2.0)
    assert scores(talk) == [] and not talk.loop.over


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("0123456789*#"), st.floats(0.0, 12.0)), max_size=8))
def test_whatever_is_keyed_there_is_one_score_at_most_and_an_end(keys: list[tuple[str, float]]) -> None:
    talk = served()
    for digit, after_s in keys:
        talk.tell(KeyPressed(digit))
        talk.wait(after_s)
    talk.wait(120.0)
    assert len(scores(talk)) <= 1 and talk.loop.over
