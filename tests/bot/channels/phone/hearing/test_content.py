"""Digits are compared with what was asked for: strangers pass though they are half misheard, other digits do not."""

from __future__ import annotations

import random

import pytest

from banking_core.configuration import Terms
from banking_core.voiceprints import NOTHING_HEARD
from banking_core.voiceprints.prompts import random_digits
from bot.channels.phone.audio import codec
from bot.channels.phone.hearing.choosing import Hypothesis
from bot.channels.phone.hearing.content import ContentEar, content_llr
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.speaking import EspeakSpeaker
from bot.dialogue.reading.speech import digits_to_spoken

LEAST = float(Terms.load().number("voiceprint.content_llr"))
SPOKEN = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
RIGHT = 0.825  # of a stranger's single digits (docs/hearing.md)


def heard(digits: str, score: float = 0.0) -> Hypothesis:
    return Hypothesis(tuple(SPOKEN[digit] for digit in digits), score)


def misheard(digits: str, rng: random.Random, lost: float) -> str:
    """As the recogniser hears a stranger: one digit in six wrong; a share is left out, and as many are put in."""
    out = ""
    for digit in digits:
        if rng.random() < lost:
            continue
        out += digit if rng.random() < RIGHT else rng.choice("0123456789".replace(digit, ""))
        if rng.random() < lost:
            out += rng.choice("0123456789")
    return out


@pytest.mark.parametrize(("lost", "share"), [(0.0, 0.95), (0.01, 0.9)])
def test_strangers_pass_at_their_first_try(lost: float, share: float) -> None:
    rng = random.Random(3)
    passed = 0
    for _ in range(2000):
        asked = random_digits(rng.randrange)
        passed += content_llr(asked, [heard(misheard(asked, rng, lost))]) >= LEAST
    assert passed >= share * 2000


def test_other_digits_pass_less_than_once_in_a_thousand() -> None:
    rng = random.Random(4)
    passed = sum(
        content_llr(random_digits(rng.randrange), [heard(random_digits(rng.randrange))]) >= LEAST
        for _ in range(30_000)
    )
    assert passed < 30


def test_yao_is_one_and_what_was_not_understood_counts_for_nothing() -> None:
    words = ("幺", "二", "三", "[unk]", "四", "五", "六", "七", "八")
    assert content_llr("12345678", [Hypothesis(words, 0.0)]) == content_llr("12345678", [heard("12345678")])


def test_without_a_reading_there_is_nothing_to_believe() -> None:
    assert content_llr("12345678", []) == NOTHING_HEARD
    assert content_llr("12345678", [heard("")]) < LEAST


def test_a_reading_counts_as_much_as_it_is_likely() -> None:
    right, wrong = heard("12345678"), heard("90513142")
    sure, unsure = Hypothesis(right.words, 0.0), Hypothesis(right.words, -90.0)
    assert content_llr("12345678", [wrong, sure]) > LEAST > content_llr("12345678", [wrong, unsure])


async def test_the_bundled_model_tells_digits_that_are_said_from_others() -> None:
    """A synthetic voice, telephone sound."""
    ear, line = ContentEar(load()), codec("PCMU")
    asked = "38295067"
    spoken = f"{digits_to_spoken(asked[:4])}，{digits_to_spoken(asked[4:])}"
    pcm = b"".join([piece async for piece in EspeakSpeaker().speak(spoken, 0.8)])
    sound = line.decode(line.encode(bytes(3200) + pcm + bytes(8000)))
    assert ear.llr(asked, sound) >= LEAST
    assert ear.llr("41736052", sound) < LEAST
