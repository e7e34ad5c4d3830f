"""Notes among the staff. They live in a table of their own, which no channel reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversation.models import Conversation, SideNote
from bot.conversation.redaction import for_log

NOTE_LENGTH_MAX = 500
NOTES_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class SideNoteView:
    """One note as the desk shows it, after message `after_seq`; kind is one of `models.NOTE_KINDS`."""

    id: str
    after_seq: int
    kind: str
    author_id: str
    author_name: str
    text: str
    created_at: str

    def to_json(self) -> dict[str, str | int]:
        """A JSON object with the field names of this class."""
        return {name: getattr(self, name) for name in self.__slots__}


def add(
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    kind: str,
    author: tuple[str, str],
    text: str,
) -> None:
    """Keeps a note of (agent id, name) at this point of the talk; secrets and long numbers are blotted out."""
    note = SideNote(
        conversation_id=conversation.id,
        after_seq=conversation.next_seq - 1,
        kind=kind,
        author_id=author[0],
        author_name=author[1],
        text=for_log(text.strip())[:NOTE_LENGTH_MAX],
        created_at=now,
    )
    session.add(note)


async def listed(session: AsyncSession, conversation_id: str) -> list[SideNoteView]:
    """The newest notes of a conversation, in the order in which they were written."""
    rows = await session.scalars(
        select(SideNote)
        .where(SideNote.conversation_id == conversation_id)
        .order_by(SideNote.created_at.desc(), SideNote.after_seq.desc())
        .limit(NOTES_SHOWN_MAX)
    )
    return [_view(note) for note in reversed(list(rows))]


def _view(note: SideNote) -> SideNoteView:
    return SideNoteView(
        note.id,
        note.after_seq,
        note.kind,
        note.author_id,
        note.author_name,
        note.text,
        note.created_at.isoformat(),
    )
