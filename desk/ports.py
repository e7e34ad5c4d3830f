"""What the desk needs of the hub, and nothing more.

The hub refuses with exceptions that carry a `code`: not_found, not_owner, already_claimed, not_queued, closed,
proposal_refused or message_too_long (see `desk.refusals`). Ownership is decided inside the hub, in the transaction that
writes; for a look in the one that reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

Message = Mapping[str, Any]  # seq, id, sender, sender_name, text, card, choices, client_id, created_at
Event = dict[str, Any]  # {"type": "message", message} | {"type": "state"} | {"type": "typing", who}


class HolderPort(Protocol):
    """Who has a conversation now: owner is 'bot', 'queue', 'agent' or 'closed'."""

    @property
    def owner(self) -> str: ...
    @property
    def agent_name(self) -> str | None: ...
    @property
    def customer_id(self) -> str | None: ...


class QueueLine(Protocol):
    """What every agent may see of a customer before claiming."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def queued_at(self) -> datetime: ...
    @property
    def waited_s(self) -> int: ...
    @property
    def customer_name_masked(self) -> str | None: ...
    @property
    def last_text(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def team(self) -> str: ...


class EventsPort(Protocol):
    """The hub's live events; lost ones are harmless, since pages ask for what they missed."""

    def subscribe(self, conversation_id: str) -> AbstractAsyncContextManager[asyncio.Queue[Event]]: ...
    def subscribe_all(self) -> AbstractAsyncContextManager[asyncio.Queue[Event]]: ...
    def publish_queue(self) -> None: ...


class CallSound(Protocol):
    """An agent's end of a telephone call: PCM, 8 kHz, signed 16-bit little-endian, mono."""

    def listen(self) -> AsyncIterator[bytes]:
        """The caller, 20 ms at a time, until the call or the agent's part in it ends."""
        ...

    def say(self, pcm: bytes) -> None:
        """The agent, in pieces of any length up to a second."""
        ...


class CallsPort(Protocol):
    """The telephone calls of this process."""

    def on(self, conversation_id: str) -> bool:
        """Whether the conversation is on the telephone here."""
        ...

    def join(self, conversation_id: str) -> AbstractContextManager[CallSound | None]:
        """The sound of a conversation's call; None where there is none."""
        ...


class NoCalls:
    """Where there is no telephone."""

    def on(self, conversation_id: str) -> bool:
        """Never."""
        return False

    @contextmanager
    def join(self, conversation_id: str) -> Iterator[CallSound | None]:
        """Never any."""
        yield None


class Answer(Protocol):
    """An entry of the knowledge base that may answer a question; score is a probability, 0 to 1."""

    @property
    def question(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def score(self) -> float: ...


class AnswersPort(Protocol):
    """The knowledge base."""

    def find(self, text: str, limit: int = 3) -> Sequence[Answer]:
        """The best entries for a text, best first."""
        ...


class NoAnswers:
    """Where nothing is known."""

    def find(self, text: str, limit: int = 3) -> Sequence[Answer]:
        """Never any."""
        return ()


class ReachPort(Protocol):
    """Channels that let only so many messages through."""

    async def left(self, session: AsyncSession, conversation_id: str) -> int | None:
        """How many messages may still be sent to the customer; None where nothing limits them."""
        ...


class PicturesPort(Protocol):
    """Pictures that customers sent."""

    async def picture(
        self, session: AsyncSession, conversation_id: str, key: str
    ) -> tuple[bytes, str] | None:
        """The picture of a message of this conversation, with its content type; None when none was kept."""
        ...


class NoPictures:
    """Where no channel takes pictures."""

    async def picture(
        self, session: AsyncSession, conversation_id: str, key: str
    ) -> tuple[bytes, str] | None:
        """None."""
        return None


class NoLimits:
    """Channels without a limit."""

    async def left(self, session: AsyncSession, conversation_id: str) -> int | None:
        """Never any."""
        return None


class ServedLine(Protocol):
    """A customer whom an agent has now."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def agent_id(self) -> str: ...
    @property
    def agent_name(self) -> str: ...
    @property
    def customer_name_masked(self) -> str | None: ...
    @property
    def level(self) -> str: ...
    @property
    def last_text(self) -> str: ...
    @property
    def last_sender(self) -> str: ...
    @property
    def updated_at(self) -> datetime: ...


class LookPort(Protocol):
    """A conversation that nobody else gets before everything wanted has been read. See `HubPort.look`."""

    @property
    def session(self) -> AsyncSession: ...
    @property
    def conversation_id(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def agent_id(self) -> str | None: ...
    @property
    def agent_name(self) -> str | None: ...
    @property
    def customer_id(self) -> str | None: ...

    async def history(self, after_seq: int = 0, limit: int = 200) -> Sequence[Message]:
        """Ascending; with `after_seq` 0 the newest `limit` messages, otherwise the first `limit` after it."""
        ...

    async def facts(self) -> Mapping[str, Any]:
        """What is known; `desk.views.facts_view` says which keys are read."""
        ...

    async def notes(self) -> Sequence[Mapping[str, Any]]:
        """What the staff noted: id, after_seq, kind, author_id, author_name, text, created_at."""
        ...


class HubPort(Protocol):
    """The conversation hub as the desk sees it. Every method runs in transactions of its own."""

    @property
    def events(self) -> EventsPort: ...

    async def queue(self) -> Sequence[QueueLine]:
        """Everybody waiting, longest first."""
        ...

    async def loads(self) -> Mapping[str, int]:
        """How many customers each agent has now who has any."""
        ...

    async def mine(self, agent_id: str) -> Sequence[str]:
        """Ids of the conversations this agent owns now."""
        ...

    async def status(self, conversation_id: str) -> HolderPort:
        """Who owns it; raises not_found."""
        ...

    def look(self, conversation_id: str, *, noted: bool = True) -> AbstractAsyncContextManager[LookPort]:
        """A transaction with the conversation locked, which commits if it is `noted`; raises not_found."""
        ...

    async def claim(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """Takes a waiting customer whom the desk admits; raises already_claimed, not_queued, closed, not_found."""
        ...

    async def agent_say(self, conversation_id: str, agent_id: str, text: str, client_id: str) -> Message:
        """Says it once per `client_id`: a repeated one gives the message it made before. Raises not_owner."""
        ...

    async def propose(
        self, conversation_id: str, agent_id: str, slot: str, text: str, client_id: str
    ) -> Message:
        """Puts a value for what is half done before the customer; raises not_owner, proposal_refused."""
        ...

    async def vouch(self, conversation_id: str, agent_id: str, grounds: str) -> None:
        """A certified agent has made sure that the customer wants what was held; raises not_owner, nothing_held."""
        ...

    async def add_note(self, conversation_id: str, agent_id: str, text: str) -> Sequence[Mapping[str, Any]]:
        """The agent's own note, which no channel sends; gives every note, see `LookPort`. Raises not_owner."""
        ...

    async def whisper(
        self, conversation_id: str, author: tuple[str, str], text: str
    ) -> Sequence[Mapping[str, Any]]:
        """Tells the agent something the customer does not hear; gives every note. Raises not_owner: no agent has it."""
        ...

    async def served(self) -> Sequence[ServedLine]:
        """Everybody whom an agent has now."""
        ...

    async def pass_on(
        self, conversation_id: str, agent_id: str, colleague: tuple[str, str], note: str
    ) -> None:
        """Gives the customer to a colleague (id, name) with a note for them; raises not_owner."""
        ...

    async def pass_to_team(self, conversation_id: str, agent_id: str, team: str, note: str) -> None:
        """Puts the customer back into the queue for a team of which somebody is there; raises not_owner."""
        ...

    async def take_over(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """Takes a customer from the queue or from another agent; raises not_queued."""
        ...

    async def hand_back(self, conversation_id: str, agent_id: str, note: str, summary: str = "") -> None:
        """Gives the conversation to the assistant, the note is shown to the customer; raises not_owner."""
        ...

    async def requeue(self, conversation_id: str, agent_id: str, reason: str) -> None:
        """Puts the agent's customer back into the queue, at their old place; raises not_owner."""
        ...

    async def close(self, conversation_id: str, agent_id: str, wrap_up: str) -> None:
        """Ends the conversation with a code for what it was about; raises not_owner."""
        ...

    async def tell_answers(self) -> int:
        """Answers to complaints reach the conversations they came from, once; returns how many were told now."""
        ...

    def typing(self, conversation_id: str, who: str) -> None:
        """Shows the customer that the agent writes."""
        ...
