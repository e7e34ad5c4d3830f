"""Filling slots from a sentence: which readings belong to which slot, and which of several is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.dialogue.errors import SlotRefused
from bot.dialogue.reading.types import Reading, covers
from bot.dialogue.reply import Choice, Reply
from bot.dialogue.skill import Accepted, Skill, Slot, Turn, WhichOne
from bot.dialogue.state import SLOT_CHOICES_MAX, Frame

_NOT_THIS = re.compile(r"(不是|不要|别|不转|不给|不用|而不是|没有)\s*(给|转给|转|充|交)?\s*$")
_INSTEAD = re.compile(r"(是|改成|改为|改到|换成|换到|应该|应为|变成|要|给|转)\s*(给|到|是)?\s*$")


@dataclass(slots=True)
class Found:
    """What one slot could read in the text, already reduced to the reading that is meant (or several)."""

    slot: Slot[Any]
    readings: list[Reading[Any]]


@dataclass(slots=True)
class Filled:
    """Outcome of applying findings to a frame."""

    changed: list[str] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)  # (slot name, Chinese sentence)
    which: tuple[str, str, tuple[Accepted, ...]] | None = None  # (slot name, question, options)


async def find(turn: Turn, skill: Skill, frame: Frame) -> list[Found]:
    """Readings per slot, without overlaps: the slot being asked for chooses first, then longer spans."""
    raw: list[tuple[Slot[Any], Reading[Any]]] = []
    for slot in skill.slots:
        readings = await slot.read(turn, asked=slot.name == frame.asking)
        if turn.heard_as is not None:
            asked_before = any(option["slot"] == slot.name for option in frame.options)
            readings = await slot.by_ear(turn, frame, readings, may_ask=not asked_before)
        raw.extend((slot, reading) for reading in readings)
    raw.sort(key=lambda pair: (pair[0].name != frame.asking, pair[1].start - pair[1].end))
    kept: list[tuple[Slot[Any], Reading[Any]]] = []
    for slot, reading in raw:
        clashes = any(
            other is not slot and reading.start < theirs.end and theirs.start < reading.end
            for other, theirs in kept
        )
        if not clashes:
            kept.append((slot, reading))
    found = []
    for slot in skill.slots:
        mine = sorted((r for s, r in kept if s is slot), key=lambda r: r.start)
        if mine:
            found.append(Found(slot, meant(turn.text, mine)))
    return found


def meant(text: str, readings: list[Reading[Any]]) -> list[Reading[Any]]:
    """Of several readings those not denied (不是五百，是六百), and of these the one said to hold instead."""
    left = [reading for reading in readings if not _NOT_THIS.search(text[: reading.start])] or readings
    if len(left) > 1:
        pointed = [reading for reading in left if _INSTEAD.search(text[: reading.start])]
        if len(left) < len(readings) or len(pointed) == 1:
            left = pointed[-1:] or left[-1:]
    return left


def answers(turn: Turn, found: Iterable[Found]) -> bool:
    """True when what was read, taken together, is all that the text says."""
    return covers(turn.text, *(reading for item in found for reading in item.readings))


async def apply(turn: Turn, frame: Frame, found: Iterable[Found]) -> Filled:
    """Checks every finding and keeps what passes. Ambiguity becomes a question, never a guess."""
    result = Filled()
    for item in found:
        try:
            await _apply_one(turn, frame, item, result)
        except SlotRefused as refusal:
            result.refusals.append((item.slot.name, refusal.customer_text))
    return result


async def _apply_one(turn: Turn, frame: Frame, item: Found, result: Filled) -> None:
    slot = item.slot
    candidates: list[Accepted] = []
    raws = [raw for reading in item.readings for raw in (reading.value, *reading.alternatives)]
    for raw in raws:
        checked = await slot.check(turn, frame, raw)
        if isinstance(checked, WhichOne):
            result.which = (slot.name, checked.question, checked.options)
            return
        if all(checked.value != other.value for other in candidates):
            candidates.append(checked)
    if len(candidates) > 1:
        result.which = (slot.name, f"{slot.label}是哪一个？", tuple(candidates[:SLOT_CHOICES_MAX]))
        return
    keep(frame, slot, candidates[0], result)


def keep(frame: Frame, slot: Slot[Any], accepted: Accepted, result: Filled) -> None:
    """Fills the slot and notes whether anything changed."""
    if frame.values.get(slot.name) != accepted.value:
        result.changed.append(slot.name)
    frame.fill(slot.name, accepted.value, accepted.shown)


def which_one_reply(frame: Frame, slot_name: str, question: str, options: tuple[Accepted, ...]) -> Reply:
    """Asks which of several is meant, and remembers the options in the frame."""
    frame.clear(slot_name)
    frame.asking = slot_name
    frame.options = [{"slot": slot_name, "value": o.value, "shown": o.shown} for o in options]
    lines = "\n".join(f"{i}. {option.shown}" for i, option in enumerate(options, start=1))
    return Reply(
        f"{question}\n{lines}", choices=tuple(Choice(o.shown, f"第{i}个") for i, o in enumerate(options, 1))
    )
