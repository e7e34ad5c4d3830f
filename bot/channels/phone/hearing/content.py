"""Were these the digits? A question of how likely the digits asked for are, against any others: not "what was said".

A model that hears four digits of a stranger in five cannot read a password, but it can tell one password from
another: eight digits, five of them in their place, are a thousand times likelier to be the ones that were asked for.
Each reading of the recogniser is aligned with the digits asked for and weighed by what the model mishears how often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from banking_core.voiceprints import NOTHING_HEARD
from bot.channels.phone.hearing.choosing import Hypothesis, whole
from bot.channels.phone.hearing.grammars import SPOKEN_DIGITS, Grammar, digit_lines
from bot.channels.phone.hearing.loading import Loaded
from bot.channels.phone.hearing.recogniser import Decoder
from bot.channels.phone.hearing.spelling import UNKNOWN, Spelling

RIGHT: Final = 0.8  # of the digits of a stranger are heard as what they are (docs/hearing.md)
ALIKE: Final = 0.03  # ... as the one that sounds most like it
OTHER: Final = 0.02  # ... as any other one
LEFT_OUT: Final = 0.06
PUT_IN: Final = 0.06
SCORE_WEIGHT: Final = 0.3  # the recogniser is surer of its readings than it should be
_ALIKE_PAIRS: Final = frozenset(frozenset(pair) for pair in ("17", "38", "69", "29", "60", "45"))
ONLY_DIGITS: Final = Grammar((*digit_lines((SPOKEN_DIGITS,)), UNKNOWN), digits=True)
_VALUE: Final = {char: str(value) for value, char in enumerate("零一二三四五六七八九")} | {"幺": "1"}


class ContentEar:
    """Hears digits in recordings, with the model of the calls. For one thread at a time."""

    def __init__(self, loaded: Loaded) -> None:
        self._decoder = Decoder(loaded, Spelling(loaded.knows))
        self._decoder.use(ONLY_DIGITS)

    def llr(self, asked: str, pcm: bytes) -> float:
        """Of the digits asked for (ASCII), in PCM at 8 kHz; see `content_llr`."""
        self._decoder.feed(pcm)
        return content_llr(asked, whole(self._decoder.parts()))


def content_llr(asked: str, readings: Sequence[Hypothesis]) -> float:
    """Logarithm of how much likelier the digits asked for (ASCII) are than others; NOTHING_HEARD without a reading.

    Positive speaks for them. Every reading counts as much as it is likely.
    """
    if not readings:
        return NOTHING_HEARD
    top = max(one.score for one in readings)
    weights = [math.exp(SCORE_WEIGHT * (one.score - top)) for one in readings]
    likely = [math.exp(_aligned(asked, _digits(one))) for one in readings]
    mean = sum(weight * ratio for weight, ratio in zip(weights, likely, strict=True)) / sum(weights)
    return math.log(max(mean, 1e-30))


def _digits(one: Hypothesis) -> str:
    return "".join(_VALUE.get(word, "") for word in one.words if word != UNKNOWN)


@lru_cache(maxsize=4096)
def _aligned(asked: str, heard: str) -> float:
    """Log-likelihood ratio of the best alignment: heard because it was asked for, against heard by chance."""
    left_out, put_in = math.log(LEFT_OUT), math.log(PUT_IN)
    row = [at * put_in for at in range(len(heard) + 1)]
    for want in asked:
        before, row = row, [row[0] + left_out]
        for place, got in enumerate(heard):
            row.append(max(before[place] + _step(want, got), before[place + 1] + left_out, row[-1] + put_in))
    return row[-1]


@lru_cache(maxsize=128)
def _step(want: str, got: str) -> float:
    """Of one digit heard for another; by chance each of the ten is heard as often."""
    share = RIGHT if want == got else ALIKE if frozenset((want, got)) in _ALIKE_PAIRS else OTHER
    return math.log(share * 10)
