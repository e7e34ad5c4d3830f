"""Dialogue state of one conversation: small, bounded, kept as JSON in the conversation's row."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.dialogue.by_ear import ByEar
from bot.dialogue.reasons import Reason

STACK_MAX = 4  # deeper digressions push the oldest frame out
SLOT_CHOICES_MAX = 8

Phase = Literal["collect", "confirm", "step_up", "held"]
PendingKind = Literal["human", "did_you_mean", "ticket"]


@dataclass(slots=True)
class Frame:
    """A skill under way. `values` holds checked JSON values by slot name, `shown` what a human reads for them."""

    skill: str
    frame_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    phase: Phase = "collect"
    values: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    filled: list[str] = field(default_factory=list)  # in the order in which the customer gave them
    asking: str | None = None
    options: list[dict[str, Any]] = field(default_factory=list)  # {slot, label, value, shown}: "which one?"
    misses: int = 0
    revision: int = 0  # grows with every change after a draft, part of the order's idempotency key
    order_id: str | None = None
    said: str = ""  # the sentence that began it, kept until the customer has logged in
    said_by_ear: ByEar | None = None  # and how it was heard
    touched_at: str = ""
    awaits: str = ""  # the kind of secret that was asked for last

    def fill(self, slot: str, value: Any, shown: str) -> None:
        """Keeps a checked value; a later value for the same slot replaces it."""
        self.values[slot] = value
        self.shown[slot] = shown
        if slot in self.filled:
            self.filled.remove(slot)
        self.filled.append(slot)

    def clear(self, slot: str) -> None:
        """Forgets the slot's value."""
        self.values.pop(slot, None)
        self.shown.pop(slot, None)
        if slot in self.filled:
            self.filled.remove(slot)

    def idle_s(self, now: datetime) -> float:
        """Seconds since the customer last spoke to this skill."""
        if not self.touched_at:
            return 0.0
        return (now - datetime.fromisoformat(self.touched_at)).total_seconds()


@dataclass(slots=True)
class Pending:
    """A yes/no or which-one question of the engine itself; `options` are intents for did_you_mean, `reason` is why a
    human is offered.
    """

    kind: PendingKind
    reason: Reason = Reason.CLARIFICATION_FAILED
    options: list[str] = field(default_factory=list)
    text: str = ""


@dataclass(slots=True)
class Wish:
    """Something asked for in the same breath as something else, and done after it."""

    intent: str
    text: str


@dataclass(slots=True)
class Topic:
    """A question as the customer put it, and the knowledge entry that answered it."""

    text: str
    entry_id: str


@dataclass(slots=True)
class DialogueState:
    """Everything the assistant remembers between two messages of one conversation."""

    stack: list[Frame] = field(default_factory=list)  # the last one is the one being talked about
    shelved: Frame | None = None  # put aside by time-out; "接着刚才的…" brings it back
    pending: Pending | None = None
    misses: int = 0
    last_replies: list[dict[str, Any]] = field(default_factory=list)
    finished: dict[str, str] | None = None  # {skill, order_id, at} of what was done last
    later: list[Wish] = field(default_factory=list)  # wishes of one sentence that wait for their turn
    topic: Topic | None = None  # the question answered by the last turn: "那跨行呢" asks about the same

    @property
    def top(self) -> Frame | None:
        """The skill being talked about."""
        return self.stack[-1] if self.stack else None

    def push(self, frame: Frame) -> Frame | None:
        """Puts a skill on top; returns the oldest one if the stack overflowed."""
        self.stack.append(frame)
        return self.stack.pop(0) if len(self.stack) > STACK_MAX else None

    def interrupted(self) -> None:
        """Something else was said since the read-back: it must be read back again before a yes can mean it."""
        if self.top is not None and self.top.phase == "confirm":
            self.top.phase, self.top.asking = "collect", None

    def answered(self, skill: str) -> None:
        """What this skill would still ask for is known and told: it is over."""
        if self.top is not None and self.top.skill == skill and self.top.phase == "collect":
            self.stack.pop()

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `state_from_json` reads back."""
        return asdict(self)


def state_from_json(data: Any) -> DialogueState:
    """The state that `to_json` made `data` from.

    Whatever another version wrote, or nobody could have written, is left out piece by piece: a conversation that
    has forgotten something can go on, one that cannot read its own state is stuck.
    """
    if not isinstance(data, dict):
        return DialogueState()
    stack = data.get("stack")
    frames = [_frame(item) for item in stack] if isinstance(stack, list) else []
    replies = data.get("last_replies")
    return DialogueState(
        stack=[frame for frame in frames if frame is not None][-STACK_MAX:],
        shelved=_frame(data.get("shelved")),
        pending=_read(_PENDING, data.get("pending")),
        misses=_read(_COUNT, data.get("misses")) or 0,
        last_replies=_read(_REPLIES, replies) or [],
        finished=_read(_FINISHED, data.get("finished")),
        later=_read(_WISHES, data.get("later")) or [],
        topic=_read(_TOPIC, data.get("topic")),
    )


T = TypeVar("T")
_FRAME = TypeAdapter(Frame)
_PENDING = TypeAdapter(Pending)
_COUNT = TypeAdapter(int)
_REPLIES = TypeAdapter(list[dict[str, Any]])
_FINISHED = TypeAdapter(dict[str, str])
_WISHES = TypeAdapter(list[Wish])
_TOPIC = TypeAdapter(Topic)


def _read(adapter: TypeAdapter[T], data: Any) -> T | None:
    if data is None:
        return None
    try:
        return adapter.validate_python(data)
    except (ValidationError, RecursionError):
        return None


def _frame(data: Any) -> Frame | None:
    frame = _read(_FRAME, data)
    if frame is None or not frame.touched_at:
        return frame
    try:
        aware = datetime.fromisoformat(frame.touched_at).tzinfo is not None
    except ValueError:
        return None
    return frame if aware else None
