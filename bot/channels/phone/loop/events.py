"""What the call loop is told. The time of an event is given beside it, never in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bot.dialogue.by_ear import ByEar


class Expect(Enum):
    """What the assistant waits for; decides the grammar, the length of pauses and what keys mean."""

    WORDS = "words"
    YES_NO = "yes_no"
    CODE = "code"  # a one-time code of six digits
    ID_TAIL = "id_tail"  # the last four characters of an identity number, the last of which may be X
    PASSWORD = "password"
    SPOKEN = "spoken"  # eight digits that must be said aloud: what counts is the sound, not what is recognised in it

    @property
    def secret(self) -> bool:
        """Digits are a secret: they go past NLU and logs."""
        return self in (Expect.CODE, Expect.ID_TAIL, Expect.PASSWORD)

    @property
    def length(self) -> int | None:
        """How many characters a secret has, where that is known."""
        return {Expect.CODE: 6, Expect.ID_TAIL: 4}.get(self)


@dataclass(frozen=True, slots=True)
class CallPickedUp:
    """The call begins."""


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The caller makes a sound that may be speech."""


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """The sound has ended `silence_s` ago: that long the detector needs to be sure."""

    silence_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Partial:
    """What the recogniser has understood so far of the sentence under way."""

    text: str

    def __repr__(self) -> str:
        """Never shows the words: they may be a code."""
        return f"Partial(chars={len(self.text)})"


@dataclass(frozen=True, slots=True)
class Final:
    """The whole sentence, asked for with `TakeFinal`; "" when there was none, with how it was heard."""

    text: str
    by_ear: ByEar | None = None

    def __repr__(self) -> str:
        """Never shows the words."""
        return f"Final(chars={len(self.text)})"


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key of the telephone."""

    digit: str

    def __repr__(self) -> str:
        """Never shows the digit."""
        return "KeyPressed(·)"


@dataclass(frozen=True, slots=True)
class PiecePlayed:
    """The caller has heard this piece of this utterance to its end."""

    utterance: int
    piece: int


@dataclass(frozen=True, slots=True)
class Replied:
    """The assistant's answer to `Ask(turn)`, already in spoken pieces.

    `choices` are what the keys 1, 2, ... say; `phrases` are further words to listen for, such as the names of this
    caller's payees. `readback` must be heard whole before it can be confirmed.
    `keep` is said even if the caller has gone on speaking: a receipt. `owner` is who answers from now on.
    `parse_s` is how long it took to understand the caller, 0.0 where nothing had to be.
    """

    turn: int
    pieces: tuple[str, ...]
    expect: Expect = Expect.WORDS
    choices: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    readback: bool = False
    keep: bool = False
    owner: str = "bot"
    parse_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TurnBroke:
    """There will be no answer to this turn."""

    turn: int


@dataclass(frozen=True, slots=True)
class Announced:
    """The assistant or an agent says something unasked."""

    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompted:
    """Something is said unasked that wants an answer: keys and grammar follow it; its turn does not matter."""

    reply: Replied


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """The customer has written, on a page beside the call, and this is the answer; its turn does not matter."""

    reply: Replied


@dataclass(frozen=True, slots=True)
class OwnerChanged:
    """Who answers from now on: bot, queue, agent or closed. `ahead` are the customers before this one.

    `may_rate`: the service that has ended may be rated.
    """

    owner: str
    ahead: int | None = None
    may_rate: bool = False


@dataclass(frozen=True, slots=True)
class AgentListens:
    """The agent who has the call hears it from now on, or no longer and reads."""

    on: bool


@dataclass(frozen=True, slots=True)
class StageBroke:
    """A stage cannot work in this call: "hearing" or "speaking"."""

    stage: str


@dataclass(frozen=True, slots=True)
class OnHold:
    """The caller's side holds the call, so that nobody hears us, or has taken it back."""

    on: bool


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller has hung up, or the line is lost."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; `CallLoop.wake_s` says when one is needed."""


Event = (
    CallPickedUp
    | VoiceStarted
    | VoiceStopped
    | Partial
    | Final
    | KeyPressed
    | PiecePlayed
    | Replied
    | TurnBroke
    | Prompted
    | WrittenAnswer
    | Announced
    | OwnerChanged
    | AgentListens
    | StageBroke
    | OnHold
    | CallerGone
    | Tick
)
