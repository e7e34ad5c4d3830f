"""The keys of the telephone, at every step.

Digits are collected until #, a pause or their full length. Alone, 0 is a human and 1 to 9 are the choices that
were offered (while a secret is awaited only with # behind it), and another one is none of them. * takes back what
was keyed; with nothing keyed it repeats what was said; behind three digits of an identity number it is X.
# alone does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.channels.phone.loop.events import Expect

DIGITS_MAX: Final = 20
ID_TAIL_CHARS: Final = 4
FIRST_PAUSE_S: Final = 1.5  # a single key is a choice, unless another follows
PAUSE_S: Final = 3.0
SECRET_PAUSE_S: Final = 8.0  # a code is read from a message, digit by digit


class Meaning(Enum):
    """What a finished entry means."""

    DIGITS = "digits"
    CHOICE = "choice"  # `value` is its place, from 0
    HUMAN = "human"
    REPEAT = "repeat"
    CLEARED = "cleared"
    NOTHING = "nothing"
    UNKNOWN = "unknown"  # a single key, and none of those that were offered


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
        if digit == "*" and expect is Expect.ID_TAIL and len(self._digits) == ID_TAIL_CHARS - 1:
            self._digits += "X"
            return self._finish(choices, may_command=False)
        if digit == "*":
            had = bool(self._digits)
            self.drop()
            return Entry(Meaning.CLEARED if had else Meaning.REPEAT)
        if digit == "#":
            return self._finish(choices, may_command=True) or Entry(Meaning.NOTHING)
        if not digit.isdigit():
            return Entry(Meaning.NOTHING)
        self._digits += digit
        if len(self._digits) >= (expect.length or DIGITS_MAX):
            return self._finish(choices, may_command=False)
        pause_s = FIRST_PAUSE_S if len(self._digits) == 1 else PAUSE_S
        self.due_s = now_s + (SECRET_PAUSE_S if expect.secret else pause_s)
        return None

    def pause(self, expect: Expect, choices: int) -> Entry | None:
        """Nothing was keyed for long enough; None when nothing was keyed at all. Half a secret is no try at it."""
        if expect.length is not None and 0 < len(self._digits) < expect.length:
            self.drop()
            return Entry(Meaning.CLEARED)
        return self._finish(choices, may_command=not expect.secret)

    def _finish(self, choices: int, *, may_command: bool) -> Entry | None:
        digits = self._digits
        self.drop()
        if not digits:
            return None
        if len(digits) == 1 and may_command:
            if digits == "0":
                return Entry(Meaning.HUMAN)
            if int(digits) <= choices:
                return Entry(Meaning.CHOICE, choice=int(digits) - 1)
            if choices:
                return Entry(Meaning.UNKNOWN)
        return Entry(Meaning.DIGITS, digits)

    def drop(self) -> None:
        """Forgets what was keyed."""
        self._digits, self.due_s = "", None
