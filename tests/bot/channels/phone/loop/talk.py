"""A call without sound: the loop, a voice that takes two seconds a piece, a caller, and time that a test moves."""

from __future__ import annotations

from bot.channels.phone.loop import (
    Action,
    Ask,
    CallLoop,
    CallPickedUp,
    Event,
    Final,
    KeyPressed,
    Manner,
    Partial,
    PiecePlayed,
    Replied,
    Say,
    StopSound,
    TakeFinal,
    Tick,
    VoiceStarted,
    VoiceStopped,
)

PIECE_S = 2.0
VAD_S = 0.2


class Talk:
    """Plays a call. `log` holds (seconds, action); `said` the pieces that began, `heard` those heard to their end."""

    def __init__(
        self, *, manner: Manner | None = None, human_on_duty: bool = False, pick_up: bool = True
    ) -> None:
        self.loop = CallLoop(manner, human_on_duty=human_on_duty)
        self.now_s = 0.0
        self.log: list[tuple[float, Action]] = []
        self.said: list[str] = []
        self.heard: list[str] = []
        self.final = ""
        self._playing: list[tuple[float, int, int, str]] = []  # ends at, utterance, piece, text
        if pick_up:
            self.pick_up()

    def pick_up(self) -> None:
        """The call begins."""
        self.tell(CallPickedUp())

    def tell(self, event: Event) -> list[Action]:
        """An event now."""
        actions = self.loop.handle(event, self.now_s)
        for action in actions:
            self.log.append((self.now_s, action))
            if isinstance(action, Say):
                self._begin(action)
            elif isinstance(action, StopSound):
                self._playing.clear()
        if any(isinstance(action, TakeFinal) for action in actions):
            actions += self.tell(Final(self.final))
        return actions

    def wait(self, seconds: float) -> None:
        """Time passes, with everything that falls due in it."""
        end_s = self.now_s + seconds
        while True:
            played_s = self._playing[0][0] if self._playing else float("inf")
            wake_s = self.loop.wake_s
            next_s = min(played_s, wake_s if wake_s is not None else float("inf"))
            if next_s > end_s:
                break
            self.now_s = max(self.now_s, next_s)
            if played_s <= next_s:
                _, utterance, piece, text = self._playing.pop(0)
                self.heard.append(text)
                self.tell(PiecePlayed(utterance, piece))
            else:
                self.tell(Tick())
        self.now_s = end_s

    def quiet(self) -> None:
        """Waits until nothing is being said."""
        while self._playing:
            self.wait(self._playing[0][0] - self.now_s)

    def speak(self, text: str, *, seconds: float = 1.0, after_s: float = 1.5) -> None:
        """The caller says a sentence (or makes a noise: ""), and falls silent for `after_s`."""
        self.final = text
        self.tell(VoiceStarted())
        self.wait(seconds / 2)
        if text:
            self.tell(Partial(text))
        self.wait(seconds / 2 + VAD_S)
        self.tell(VoiceStopped(VAD_S))
        self.wait(max(0.0, after_s - VAD_S))

    def keys(self, digits: str, *, after_s: float = 0.0) -> None:
        """The caller presses keys, a third of a second apart."""
        for digit in digits:
            self.tell(KeyPressed(digit))
            self.wait(0.3)
        self.wait(after_s)

    def reply(self, *pieces: str, turn: int | None = None, **more: object) -> None:
        """The assistant answers the latest question."""
        self.tell(Replied(self.asked[-1].turn if turn is None else turn, pieces, **more))  # type: ignore[arg-type]

    @property
    def asked(self) -> list[Ask]:
        """Everything that was put to the assistant."""
        return [action for _, action in self.log if isinstance(action, Ask)]

    @property
    def texts(self) -> list[str]:
        """The words of it."""
        return [ask.text for ask in self.asked]

    def times(self, kind: type) -> list[float]:
        """When actions of a kind came."""
        return [at_s for at_s, action in self.log if isinstance(action, kind)]

    def time_of(self, piece: str) -> float:
        """When a piece was first sent to be said."""
        return next(at_s for at_s, action in self.log if isinstance(action, Say) and piece in action.pieces)

    @property
    def sounding(self) -> bool:
        return bool(self._playing)

    def _begin(self, action: Say) -> None:
        assert not self._playing, "two voices at once"
        for index, text in enumerate(action.pieces):
            ends_s = self.now_s + PIECE_S * (index + 1)
            self._playing.append((ends_s, action.utterance, action.first + index, text))
            self.said.append(text)


def greeted(**more: object) -> Talk:
    """A call whose greeting has been heard."""
    talk = Talk(**more)  # type: ignore[arg-type]
    talk.quiet()
    return talk
