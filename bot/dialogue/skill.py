"""What a skill is: typed slots, and what to do once they are filled.

A skill never decides about order, correction, digression, cancelling or repeating: the engine does. It returns one of
    Done       finished: say this
    ReadBack   an order is drafted: read it back and wait for 确认
    Prove      the customer must prove who they are first: ask for this secret
    Held       a person must look at the order first: the business waits
and raises `SkillRefused` when the bank says no.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from bot.dialogue.by_ear import ByEar
from bot.dialogue.errors import DialogueError
from bot.dialogue.reading.types import Reading
from bot.dialogue.reasons import Reason
from bot.dialogue.reply import Choice, Reply
from bot.dialogue.state import Frame
from bot.dialogue.understanding import NOTHING_HEARD, Understanding

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

Raw = TypeVar("Raw")


Circumstances = Callable[[], Awaitable[Mapping[str, Any]]]
# Channels whose words pass through others' hands: a secret is typed on a page of ours instead.
SECRETS_ELSEWHERE = frozenset({"wechat"})
# What is said there is heard and not read: short, no digit that is not needed, and nothing can be shown or tapped.
HEARD = frozenset({"phone"})


async def _nothing_known() -> Mapping[str, Any]:
    return {}


@dataclass(slots=True)
class Turn:
    """One message being handled. `services` is what the skills were built with; the engine never looks inside.

    `circumstances` gathers what the hub knows of the moment (address, how the talk went) for the bank to judge an
    order by; it is asked only by skills that draft one. `caller` is the number a call came from, "" when there is
    none: a hint, never a proof. `login` says in Chinese what the customer proved when logging in; `on_call`, that
    their voice can be compared now, by telephone or from the page; `proof` is the kind
    of secret that `proved` and `unproved` are called about. `by_ear` is how a text was heard, None for a written one.
    """

    text: str
    now: datetime
    conversation_id: str
    channel: str
    customer_id: str | None
    session: AsyncSession
    services: Any
    heard: Understanding = NOTHING_HEARD
    circumstances: Circumstances = _nothing_known
    caller: str = ""
    login: str = ""
    on_call: bool = False
    proof: str = ""
    by_ear: ByEar | None = None

    @property
    def heard_as(self) -> ByEar | None:
        """How the text was heard, as long as it is the one that was heard."""
        return self.by_ear if self.by_ear is not None and self.by_ear.text == self.text else None

    @property
    def aloud(self) -> bool:
        """Whether the customer only hears what is answered."""
        return self.channel in HEARD


@dataclass(frozen=True, slots=True)
class AskSecret:
    """Effect: the hub takes the next input itself. `ref` is the order id, or the phone number for a log-in.

    With `voice` the customer says digits, to log in, for an order, or to be recorded (`enrol`); `strict` where the risk
    is high. After a code that is `last` there is only a human.
    """

    kind: Literal["password", "otp", "voice"]
    purpose: Literal["login", "order", "enrol"]
    ref: str
    strict: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """Effect: put the customer in the queue for a human."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class SettleLater:
    """Effect: after the commit, ask the outside party to carry out this order."""

    order_id: str


Effect = AskSecret | HandOver | SettleLater


@dataclass(frozen=True, slots=True)
class Done:
    """The skill is finished. `order_id` names the order it carried out, if any."""

    reply: Reply
    effects: tuple[Effect, ...] = ()
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """An order waits for the customer's 确认."""

    reply: Reply
    order_id: str


@dataclass(frozen=True, slots=True)
class Prove:
    """The customer is asked for a secret before the skill goes on."""

    reply: Reply
    secret: AskSecret


@dataclass(frozen=True, slots=True)
class Held:
    """A person must look at the order first. The skill is run again when the assistant has the customer back."""

    reply: Reply
    reason: Reason
    order_id: str


Step = Done | ReadBack | Prove | Held
# Why a proof cannot be had: tried too often; a recording or surely somebody else; the customer wants another way; it is
# no way here.
Unproved = Literal["unclear", "suspicious", "declined", "not_offered"]


class SkillRefused(DialogueError):
    """The bank refuses. With `slot` the value is asked for again, without it the skill ends."""

    code = "skill_refused"

    def __init__(
        self, customer_text: str, *, slot: str | None = None, choices: Sequence[Choice] = ()
    ) -> None:
        super().__init__(self.code)
        self.customer_text = customer_text
        self.slot = slot
        self.choices = tuple(choices)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checked slot value as JSON, and how it is shown to the customer and to an agent."""

    value: Any
    shown: str


@dataclass(frozen=True, slots=True)
class WhichOne:
    """Several values fit; the customer picks one."""

    question: str
    options: tuple[Accepted, ...]


Checked = Accepted | WhichOne


class Slot(ABC, Generic[Raw]):
    """One thing a skill must know: how to ask for it, how to read it, how to check it."""

    takes_anything: ClassVar[bool] = False  # free text: only commands and clear digressions escape it

    def __init__(
        self, name: str, label: str, *, question: str, hint: str = "", quick: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.label = label
        self.question = question
        self.hint_text = hint
        self.quick = tuple(Choice(word, word) for word in quick)

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """The question, with quick replies where they help."""
        return Reply(self.question, choices=self.quick)

    async def hint(self, turn: Turn, frame: Frame) -> str:
        """Help for a customer who says 我不知道."""
        return self.hint_text

    @abstractmethod
    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[Raw]]:
        """Every occurrence of such a value in the text; `asked` when the customer was just asked for it."""

    async def by_ear(
        self, turn: Turn, frame: Frame, found: list[Reading[Raw]], *, may_ask: bool
    ) -> list[Reading[Raw]]:
        """What was read in a text that was heard, put right by what is possible; with `may_ask`, where two are, the
        other one as an alternative."""
        return found

    @abstractmethod
    async def check(self, turn: Turn, frame: Frame, raw: Raw) -> Checked:
        """The value to keep. Raises SlotRefused with a Chinese sentence when it cannot be used."""

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """A value that need not be asked for; None asks."""
        return None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a skill is offered: `example` is a sentence that starts it."""

    example: str = ""
    needs_login: bool = True
    moves_money: bool = False
    guarded: bool = False  # changes security: as much certainty as for money before it starts
    opposite: str = ""  # the intent that undoes it: said while nothing is done yet, it cancels
    on_screen: str = ""  # what it gives or needs can only be seen: who only hears is told this instead
    hidden: bool = (
        False  # not offered in help and not started by a sentence, only by another skill or the engine
    )


class Skill(ABC):
    """One thing the assistant can do; `intent` is its name in the training data."""

    intent: ClassVar[str]
    title: ClassVar[str]
    manner: ClassVar[Manner] = Manner()
    slots: Sequence[Slot[Any]] = ()

    @abstractmethod
    async def run(self, turn: Turn, frame: Frame) -> Step:
        """Called when every slot is filled; `frame.values` holds them. May be called again with the same frame."""

    async def confirm(self, turn: Turn, frame: Frame) -> Step:
        """Called when the customer says 确认 to a ReadBack."""
        raise NotImplementedError

    async def proved(self, turn: Turn, frame: Frame) -> Step:
        """Called when the secret asked for by Prove was right; may ask for another one."""
        raise NotImplementedError

    async def unproved(self, turn: Turn, frame: Frame, why: Unproved) -> Step:
        """Called when the proof asked for cannot be had: another one, a human, or the end."""
        raise NotImplementedError

    async def recall(self, turn: Turn, order_id: str) -> Reply | None:
        """Called when the customer takes back what this skill did last; None when it is too late for that."""
        return None

    async def abandon(self, turn: Turn, frame: Frame) -> None:  # noqa: B027 - most skills draft nothing
        """Called when the customer cancels, or changes a value of what was read back."""

    def slot(self, name: str) -> Slot[Any]:
        """The slot of that name. Raises KeyError."""
        return {slot.name: slot for slot in self.slots}[name]
