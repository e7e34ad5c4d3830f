"""What the line says of its own accord about what is asked of the caller: made from what may be answered now, so that
no prompt tells a key that does something else, and nobody who cannot be heard is asked to speak.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.channels.phone.loop import manner as say
from bot.channels.phone.loop.events import Expect
from bot.dialogue.reading.speech import number_to_spoken

KEY_TOLD: Final = "请按一"  # the answer itself tells its keys
KEYS_MAX: Final = 9
KEYS_A_PIECE: Final = 3  # told in one breath; who speaks hears no more than these

# A clause that tells the caller to say something, with the condition before it.
_TO_BE_SAID: Final = re.compile(
    r"(?:[^，。？！]*的话，|(?:要|不想|如果)[^，。？！]*，)?"
    r"[^，。？！]*(?:(?:^|(?<=[，。？！])|请|可以|就|直接)[说讲](?![过明得])|换个说法|^比如|(?<=，)比如)[^，。？！]*[，。？！]?"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller may answer now. `deaf`: nothing they say is heard; `by_keys`: they were answering by keys."""

    expect: Expect
    choices: tuple[str, ...]
    deaf: bool = False
    by_keys: bool = False
    human: bool = True  # can be asked for: nobody waits for one or has one already

    def keys(self, *, human: bool = True, every: bool | None = None) -> tuple[str, ...]:
        """What the keys do: all of them for who answers by keys, else the first few."""
        every = (self.deaf or self.by_keys) if every is None else every
        offered = [
            f"{said}请按{number_to_spoken(key)}{'再按井号' if self.expect.secret else ''}"
            for key, said in enumerate(self.choices[: KEYS_MAX if every else KEYS_A_PIECE], 1)
        ]
        if human and self.human and not self.expect.secret and say.TO_HUMAN not in self.choices:
            offered.append(say.TO_HUMAN_BY_KEY)
        pieces = [offered[at : at + KEYS_A_PIECE] for at in range(0, len(offered), KEYS_A_PIECE)]
        if len(pieces) > 1 and pieces[-1] == [say.TO_HUMAN_BY_KEY]:
            pieces[-2:] = [pieces[-2] + pieces[-1]]
        return tuple("，".join(piece) + "。" for piece in pieces)

    def how_to_answer(self) -> tuple[str, ...]:
        """By keys: what to key, and what the keys choose."""
        wanted = self._wanted()
        if self.expect.secret:
            return (*wanted, *self.keys()) if self.deaf or self.by_keys else wanted
        return (*wanted, *self.keys())

    def _wanted(self) -> tuple[str, ...]:
        if self.expect.secret:
            return (say.KEY_SECRETS[self.expect],)
        if self.expect is Expect.SPOKEN and not self.deaf:
            return (say.SAY_AGAIN,)
        if self.expect is Expect.WORDS and not self.choices and (self.deaf or self.by_keys):
            return (say.KEY_NUMBERS,)
        return ()

    def greeting(self) -> tuple[str, ...]:
        """The first words of a call."""
        return (say.GREETING[0], say.DEAF, *self.how_to_answer()) if self.deaf else say.GREETING

    def hearing_broke(self) -> tuple[str, ...]:
        """From now on only keys."""
        return (say.HEARING_BROKE, *self.how_to_answer())

    def still_there(self, given: int) -> tuple[str, ...]:
        """Into a silence, for the time `given` (from 0). The keys are told once: a silence is not to be filled."""
        called = (say.STILL_THERE_DEAF if self.deaf else say.STILL_THERE)[min(given, 1)]
        return (called, *self.how_to_answer()) if given == 0 else (called,)

    def goodbye_silent(self) -> tuple[str, ...]:
        """Nothing came for so long that the call is ended."""
        return say.GOODBYE_SILENT_DEAF if self.deaf else say.GOODBYE_SILENT

    def not_heard(self) -> tuple[str, ...]:
        """To a caller whose words were not understood."""
        if self.expect.secret:
            return (say.NOT_HEARD, *self._wanted())
        return (say.NOT_HEARD, *self.keys(human=False)) if self.choices else (say.NOT_HEARD,)

    def too_noisy(self) -> tuple[str, ...]:
        """To a caller whose surroundings drown their words."""
        return (say.TOO_NOISY, *self.how_to_answer())

    def cleared(self) -> tuple[str, ...]:
        """What was keyed is gone."""
        return (say.CLEARED, *self._wanted()) if self.expect.secret else (say.CLEARED,)

    def no_such_key(self) -> tuple[str, ...]:
        """A key was pressed that chooses nothing."""
        return (say.NO_SUCH_KEY, *self.keys(every=True))

    def nothing_to_repeat(self) -> tuple[str, ...]:
        """Nothing has been said yet."""
        return self.how_to_answer() if self.deaf else (say.NOTHING_TO_REPEAT,)

    def reply(self, pieces: tuple[str, ...], *, readback: bool) -> tuple[str, ...]:
        """An answer of the assistant with the keys that belong to it: at once where a mishearing would cost money, and
        for who answers by keys. Nobody who cannot be heard is told what to say.
        """
        if self.deaf:
            pieces = tuple(kept for piece in pieces if (kept := without_speech(piece)))
        if not pieces or any(KEY_TOLD in piece for piece in pieces):
            return pieces
        if self.deaf or self.by_keys:
            return (*pieces, *self.how_to_answer())
        return (*pieces, *self.keys(human=False)) if readback and self.choices else pieces

    def agent_reads(self) -> tuple[str, ...]:
        """An agent has the call who reads what is recognised."""
        return say.AGENT_READS_DEAF if self.deaf else say.AGENT_READS

    def in_queue(self, ahead: int | None) -> tuple[str, ...]:
        """To a caller who waits for a human."""
        count = "两" if ahead == 2 else number_to_spoken(ahead or 0)
        waits = f"前面还有{count}位，请稍等。" if ahead else "马上就轮到您了，请稍等。"
        return (waits, *self.keys(human=False)) if self.deaf or self.by_keys else (waits,)


def without_speech(piece: str) -> str:
    """The piece without what it tells the caller to say; "" when that is all of it."""
    kept = _TO_BE_SAID.sub("", piece)
    return piece if kept == piece else re.sub(r"，$", "。", kept)
