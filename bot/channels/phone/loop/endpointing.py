"""How long a silence must last until the caller is taken to have finished. Pure, per call."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from bot.channels.phone.loop.events import Expect
from bot.dialogue.commands import recognise_by_rule
from bot.dialogue.reading.numerals import to_ascii_digits

PAUSE_S: Final = 0.5
PAUSE_MIN_S: Final = 0.4
PAUSE_MAX_S: Final = 1.0
COMPLETE: Final = 0.5  # of the pause, when nothing more can be expected
UNFINISHED: Final = 2.4  # of the pause, in the middle of a number or after a word that leads on
CUT_OFF_S: Final = 1.0  # who speaks again within it was cut off
SLOWER: Final = 1.25
SPOKEN_DIGITS: Final = 8
QUICKER: Final = 0.97

_SPACES = re.compile(r"[\s，。！？、,.!?]+")
_DIGIT_END = re.compile(r"[零一二三四五六七八九十百千万亿两幺点0-9]$")
_LEADS_ON = re.compile(
    r"(给|转|转给|把|和|跟|从|到|向|往|是|的|还有|然后|那个|就是|就|我|我想|我要|帮我|请|嗯|呃|(?<![余限金面数总全])额|比如)$"
)
_MONEY_END = re.compile(r"(元|块|块钱|元钱|毛|角|分|分钱)$")


class Endpointer:
    """Learns this caller's pauses: longer after having cut them off, slowly shorter again when all goes well."""

    def __init__(self) -> None:
        self.pause_s = PAUSE_S
        self._ended_s = float("-inf")

    def silence_s(self, text: str, expect: Expect, choices: Collection[str] = ()) -> float:
        """The silence after which `text` is taken to be all; who says one of the choices offered has said it."""
        bare = _SPACES.sub("", text)
        if bare in choices or _complete(bare, expect):
            return self.pause_s * COMPLETE
        if _unfinished(bare, expect):
            return self.pause_s * UNFINISHED
        return self.pause_s

    def ended(self, at_s: float) -> None:
        """The caller was taken to have finished."""
        self._ended_s = at_s
        self.pause_s = max(PAUSE_MIN_S, self.pause_s * QUICKER)

    def started(self, at_s: float, *, while_we_spoke: bool) -> None:
        """The caller speaks. Soon after the last sentence and into our silence: they had not finished."""
        if not while_we_spoke and at_s - self._ended_s < CUT_OFF_S:
            self.pause_s = min(PAUSE_MAX_S, self.pause_s * SLOWER / QUICKER)


def _complete(bare: str, expect: Expect) -> bool:
    if not bare:
        return False
    if expect is Expect.SPOKEN:
        return len(to_ascii_digits(bare)) >= SPOKEN_DIGITS
    if expect.length is not None and len(to_ascii_digits(bare)) == expect.length:
        return True
    if expect is Expect.YES_NO:
        return recognise_by_rule(bare) is not None
    return expect is Expect.WORDS and (bool(_MONEY_END.search(bare)) or recognise_by_rule(bare) is not None)


def _unfinished(bare: str, expect: Expect) -> bool:
    if not bare:
        return False
    return expect.secret or expect is Expect.SPOKEN or bool(_DIGIT_END.search(bare) or _LEADS_ON.search(bare))
