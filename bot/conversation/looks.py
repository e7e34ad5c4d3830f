"""A look at a conversation: who has it and what is in it, of one moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversation import side_notes
from bot.conversation.case_file import CaseFile
from bot.conversation.models import Conversation


class Look:
    """A conversation whose row is locked: nobody else gets it before everything wanted has been read.

    `session` is the transaction of the look; what is written there is committed with it.
    """

    def __init__(self, session: AsyncSession, conversation: Conversation, file: CaseFile) -> None:
        self.session = session
        self._conversation, self._file = conversation, file

    @property
    def conversation_id(self) -> str:
        """Of which conversation."""
        return self._conversation.id

    @property
    def owner(self) -> str:
        """'bot', 'queue', 'agent' or 'closed'."""
        return self._conversation.owner

    @property
    def agent_id(self) -> str | None:
        """Of the agent who has it."""
        return self._conversation.agent_id

    @property
    def agent_name(self) -> str | None:
        """The same, by name."""
        return self._conversation.agent_name

    @property
    def customer_id(self) -> str | None:
        """None for a visitor."""
        return self._conversation.customer_id

    async def history(self, after_seq: int = 0, limit: int = 200) -> list[dict[str, Any]]:
        """The transcript. See `CaseFile.history`."""
        return await self._file.history(self.session, self._conversation.id, after_seq, limit)

    async def facts(self) -> dict[str, Any]:
        """What an agent needs so as not to ask again. See `CaseFile.facts`."""
        return await self._file.facts(self.session, self._conversation)

    async def notes(self) -> list[dict[str, Any]]:
        """What the staff noted, in order."""
        return [note.to_json() for note in await side_notes.listed(self.session, self._conversation.id)]
