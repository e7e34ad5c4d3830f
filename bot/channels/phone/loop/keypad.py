"""The keys of the telephone, at every step.

Digits are collected until #, a pause or their full length. Alone, 0 is a human and 1 to 9 are the choices that
were offered. * takes back what was keyed; with nothing keyed it repeats what was said. # alone does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.channels.phone.loop.events import Expect

CODE_DIGITS: Final = 6
DIGITS_MAX: Final = 20
FIRST_PAUSE_S: Final = 1.5  # a single key is a choice, unless another follows
PAUSE_S: Final = 3.0


class Meaning(Enum):
    """What a finished entry means."""

    DIGITS = "digits"
    CHOICE = "choice"  # `value` is its place, from 0
    HUMAN = "human"
    REPEAT = "repeat"
    CLEARED = "cleared"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished entry."""

    meaning: Meaning
    digits: str = ""
    choice: int = 0

    def __repr__(self) -> str:
        """Never shows digits."""
        return f"Entry({self.meaning.value})"


class Keypad:
    """Collects keys. `due_s` is when the entry ends by itself."""

    def __init__(self) -> None:
        self._digits = ""
        self.due_s: float | None = None

    def __bool__(self) -> bool:
        """Whether an entry is under way."""
        return bool(self._digits)

    def press(self, digit: str, now_s: float, expect: Expect, choices: int) -> Entry | None:
        """The entry that this key finishes, if it does."""
        if digit == "*":
            had = bool(self._digits)
            self.drop()
            return Entry(Meaning.CLEARED if had else Meaning.REPEAT)
        if digit == "#":
            return self.finish(expect, choices) or Entry(Meaning.NOTHING)
        if not digit.isdigit():
            return Entry(Meaning.NOTHING)
        self._digits += digit
        full = CODE_DIGITS if expect is Expect.CODE else DIGITS_MAX
        if len(self._digits) >= full:
            return self.finish(expect, choices)
        short = len(self._digits) == 1 and not expect.secret
        self.due_s = now_s + (FIRST_PAUSE_S if short else PAUSE_S)
        return None

    def finish(self, expect: Expect, choices: int) -> Entry | None:
        """Ends the entry; None when nothing was keyed."""
        digits = self._digits
        self.drop()
        if not digits:
            return None
        if len(digits) == 1 and not expect.secret:
            if digits == "0":
                return Entry(Meaning.HUMAN)
            if int(digits) <= choices:
                return Entry(Meaning.CHOICE, choice=int(digits) - 1)
        return Entry(Meaning.DIGITS, digits)

    def drop(self) -> None:
        """Forgets what was keyed."""
        self._digits, self.due_s = "", None
