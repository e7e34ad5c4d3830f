"""What the desk would see of a conversation."""

from __future__ import annotations

from typing import Any

from bot.conversation.handoff import Handoff


async def facts_of(handoff: Handoff, conversation_id: str) -> dict[str, Any]:
    """What is known."""
    async with handoff.look(conversation_id, noted=False) as look:
        return await look.facts()


async def history_of(handoff: Handoff, conversation_id: str) -> list[dict[str, Any]]:
    """The transcript."""
    async with handoff.look(conversation_id, noted=False) as look:
        return await look.history()


async def notes_of(handoff: Handoff, conversation_id: str) -> list[dict[str, Any]]:
    """What the staff noted."""
    async with handoff.look(conversation_id, noted=False) as look:
        return await look.notes()
