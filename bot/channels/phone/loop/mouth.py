"""What is being said, what waits to be said, and what of it has been heard. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from bot.channels.phone.loop.actions import Action, Say, StopSound
from bot.channels.phone.loop.events import PiecePlayed, Replied


@dataclass(slots=True)
class Utterance:
    """One thing to say, in pieces; an interruption resumes at the piece it broke."""

    number: int
    pieces: tuple[str, ...]
    reply: Replied | None = None
    then: Action | None = None  # done when it has been heard
    interruptible: bool = True
    filler: bool = False  # worth nothing any more once there is an answer
    next_piece: int = 0
    heard: bool = False
    false_alarms: int = 0

    @property
    def left(self) -> tuple[str, ...]:
        """The pieces not heard yet."""
        return self.pieces[self.next_piece :]


class Mouth:
    """At most one utterance sounds; others wait in order."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._pending: deque[Utterance] = deque()
        self.now: Utterance | None = None
        self.paused = False
        # What is said again on request: the last reply, or words of an agent.
        self.latest: Utterance | None = None

    @property
    def sounding(self) -> bool:
        """Sound is on its way to the caller."""
        return self.now is not None and not self.paused

    @property
    def piece(self) -> str:
        """The words that sound now."""
        return self.now.left[0] if self.sounding and self.now is not None and self.now.left else ""

    @property
    def busy(self) -> bool:
        """Something is not said to its end."""
        return self.now is not None or bool(self._pending)

    @property
    def unheard(self) -> Replied | None:
        """The latest reply as long as the caller has not heard it to its end."""
        latest = self.latest
        return latest.reply if latest is not None and not latest.heard else None

    def add(
        self,
        pieces: Iterable[str],
        *,
        reply: Replied | None = None,
        then: Action | None = None,
        interruptible: bool = True,
        filler: bool = False,
        repeatable: bool = False,
    ) -> None:
        """Something to say after all else. What has no words counts as heard; a reply can always be repeated."""
        utterance = Utterance(next(self._numbers), tuple(pieces), reply, then, interruptible, filler)
        if reply is not None or repeatable:
            self.latest = utterance
            self._drop_silent_filler()
        if utterance.pieces:
            self._pending.append(utterance)
        else:
            utterance.heard = True

    def _drop_silent_filler(self) -> None:
        if self.now is not None and self.now.filler and self.paused:
            self.now, self.paused = None, False

    def repeat(self, before: tuple[str, ...] = ()) -> bool:
        """Says the latest reply again from its beginning; False when there is none."""
        self.interrupt()
        latest = self.latest
        if latest is None or not latest.pieces:
            return False
        if before:
            self.add(before)
        again = Utterance(next(self._numbers), latest.pieces, latest.reply, heard=latest.heard)
        self.latest = again
        self._pending.append(again)
        return True

    def go_on(self, rate: float) -> list[Action]:
        """Resumes what was paused, or begins what waits."""
        if self.sounding:
            return []
        if self.now is None:
            if not self._pending:
                return []
            self.now = self._pending.popleft()
        self.paused = False
        return [Say(self.now.number, self.now.next_piece, self.now.left, rate)]

    def pause(self) -> list[Action]:
        """Silence for now; the place is kept."""
        if not self.sounding or self.now is None or not self.now.interruptible:
            return []
        self.paused = True
        return [StopSound()]

    def interrupt(self) -> list[Action]:
        """The caller has the word: what was being said and what waited is dropped, except what must be told."""
        silence: list[Action] = [StopSound()] if self.sounding else []
        kept = [item for item in self._pending if item.reply is not None and item.reply.keep]
        self.now, self.paused = None, False
        self._pending = deque(kept)
        return silence

    def played(self, event: PiecePlayed) -> Utterance | None:
        """Notes what was heard; the utterance when that was its last piece."""
        now = self.now
        if now is None or event.utterance != now.number or event.piece < now.next_piece:
            return None
        now.next_piece = min(event.piece + 1, len(now.pieces))
        if now.left:
            return None
        now.heard = True
        self.now, self.paused = None, False
        return now
