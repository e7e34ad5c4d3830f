"""An agent helps to fill in what is half done: they propose a value, the customer takes it or not.

A proposal is checked as if the customer had said it, put before the customer, and filled in only by the customer's own
word. It never drafts, reads back or confirms an order: while an agent has the conversation the engine stands still, and
what was read back before is read back again once the assistant goes on.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversation import log
from bot.conversation.errors import ProposalRefused
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import for_log
from bot.dialogue import filling
from bot.dialogue.commands import Command, recognise_by_rule
from bot.dialogue.frames import LOGIN
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.reply import Reply, choices
from bot.dialogue.skill import Accepted, Skill, Slot, Turn
from bot.dialogue.state import Frame, state_from_json

TAKE, LEAVE = "采用", "不采用"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A value that passed the slot's own checks."""

    frame_id: str
    slot: Slot[Any]
    accepted: Accepted


def may_be_proposed(skill: Skill) -> bool:
    """Whether an agent may help with it: not with a log-in, which is the customer's alone."""
    return skill.intent != LOGIN


async def checked(
    turn: Turn, conversation: Conversation, registry: SkillRegistry, slot_name: str
) -> Proposed:
    """Reads `turn.text` as the value of a slot of what is under way; changes nothing. Raises ProposalRefused."""
    frame = state_from_json(conversation.state).top
    if frame is None or frame.skill not in registry:
        raise ProposalRefused("客户现在没有办到一半的业务。")
    skill = registry.get(frame.skill)
    if not may_be_proposed(skill):
        raise ProposalRefused("登录只能由客户自己完成。")
    if skill.manner.needs_login and conversation.customer_id is None:
        raise ProposalRefused("客户还没有登录，请先请客户登录。")
    slot = next((slot for slot in skill.slots if slot.name == slot_name), None)
    if slot is None:
        raise ProposalRefused("这项业务没有这一栏，请刷新后再试。")
    return Proposed(frame.frame_id, slot, await _value(turn, deepcopy(frame), slot))


async def _value(turn: Turn, frame: Frame, slot: Slot[Any]) -> Accepted:
    readings = await slot.read(turn, asked=True)
    if not readings:
        raise ProposalRefused(f"没有看懂，请直接写“{slot.label}”的内容。")
    filled = await filling.apply(turn, frame, [filling.Found(slot, filling.meant(turn.text, readings))])
    if filled.refusals:
        raise ProposalRefused(filled.refusals[0][1])
    if filled.which is not None:
        names = "、".join(option.shown for option in filled.which[2])
        raise ProposalRefused(f"符合的不止一个：{names}。请写得更具体一些。")
    return Accepted(frame.values[slot.name], frame.shown[slot.name])


def put(
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    proposed: Proposed,
    agent_name: str,
    key: str,
) -> Message:
    """Shows the customer what is proposed, in the agent's name; a later proposal takes the place of an earlier."""
    label, shown = proposed.slot.label, proposed.accepted.shown
    reply = Reply(
        f"我帮您填了一项，请您核对：{label}“{shown}”。对的话请说“{TAKE}”，不对请说“{LEAVE}”。",
        choices=choices(TAKE, LEAVE),
    )
    message = log.append(
        session,
        conversation,
        now,
        sender="agent",
        sender_name=agent_name,
        text=for_log(reply.text),
        channel_message_id=key,
        choices=list(reply.to_json()["choices"]),
    )
    conversation.proposal = {
        "frame_id": proposed.frame_id,
        "slot": proposed.slot.name,
        "label": label,
        "value": proposed.accepted.value,
        "shown": shown,
        "seq": message.seq,
    }
    return message


def answer_to(conversation: Conversation, text: str) -> bool | None:
    """Whether the customer's words take the proposal (True), leave it (False), or are about something else (None).

    The words on the buttons count at any time; a plain yes or no only while the proposal is what was said last.
    """
    proposal = conversation.proposal
    if proposal is None:
        return None
    words = text.strip().strip("。.!！“”\"'")
    if words in (TAKE, LEAVE):
        return words == TAKE
    if conversation.next_seq - 1 != proposal["seq"]:
        return None
    return {Command.AFFIRM: True, Command.DENY: False}.get(recognise_by_rule(text))  # type: ignore[arg-type]
