"""Choices that were tapped in a menu message, which stays on the screen for ever.

An item's id says in which conversation, under which message and as what it was offered. A tap is worth what was offered
there, unless a newer offer has the same words, or it is a yes: that answer was to another question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.wechat.messages import Text
from bot.conversation.hub import Hub
from bot.dialogue.commands import Command, recognise_by_rule
from bot.dialogue.reply import Choice

CONVERSATION_CHARS = 12
LATEST = 20  # messages among which the newest offer is looked for
_ITEM = re.compile(r"([0-9a-f]{12})\.([0-9]{1,9})\.([0-9]{1,2})")
MessageJson = dict[str, Any]  # the fields of bot.conversation.views.MessageView


@dataclass(frozen=True)
class Chosen:
    """The words of a tap or a text, and the offer to be shown again where the tap belonged to an older one."""

    words: str
    instead: tuple[Choice, ...] | None = None


def item_id(conversation_id: str, seq: int, number: int) -> str:
    """The id of the choice `number` of a message."""
    return f"{conversation_id[:CONVERSATION_CHARS]}.{seq}.{number}"


async def chosen(hub: Hub, conversation_id: str, content: Text) -> Chosen:
    """What a text says; typed ones say what they are."""
    found = _ITEM.fullmatch(content.menu_id)
    if found is None:
        return Chosen(content.content)
    newest = _offer(await hub.history(conversation_id, limit=LATEST))
    here, seq = found[1] == conversation_id[:CONVERSATION_CHARS], int(found[2])
    messages = await hub.history(conversation_id, after_seq=seq - 1, limit=1) if here and seq > 1 else []
    offered = messages[0]["choices"] if messages and messages[0]["seq"] == seq else []
    words = str(offered[int(found[3])]["say"]) if int(found[3]) < len(offered) else content.content
    if here and newest is not None and newest["seq"] == seq:
        return Chosen(words)
    choices = newest["choices"] if newest is not None else []
    command = recognise_by_rule(words)
    again = command is Command.AFFIRM or words in {choice["say"] for choice in choices}
    if not again or command is Command.HUMAN:
        return Chosen(words)
    return Chosen(words, tuple(Choice(choice["label"], choice["say"]) for choice in choices))


def _offer(messages: Sequence[MessageJson]) -> MessageJson | None:
    return next((each for each in reversed(messages) if each["choices"]), None)
