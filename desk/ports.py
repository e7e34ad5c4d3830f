"""What the desk needs of the hub, and nothing more.

The hub refuses with exceptions that carry a `code`: not_found, not_owner, already_claimed, not_queued, closed
or message_too_long (see `desk.refusals`). Ownership is decided inside the hub, in the transaction that
writes; the desk asks for it beforehand only to keep transcripts from the wrong eyes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol

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


class EventsPort(Protocol):
    """The hub's live events; lost ones are harmless, since pages ask for what they missed."""

    def subscribe(self, conversation_id: str) -> AbstractAsyncContextManager[asyncio.Queue[Event]]: ...
    def subscribe_all(self) -> AbstractAsyncContextManager[asyncio.Queue[Event]]: ...


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

    def join(self, conversation_id: str) -> AbstractContextManager[CallSound | None]:
        """The sound of a conversation's call; None where there is none."""
        ...


class NoCalls:
    """Where there is no telephone."""

    @contextmanager
    def join(self, conversation_id: str) -> Iterator[CallSound | None]:
        """Never any."""
        yield None


class HubPort(Protocol):
    """The conversation hub as the desk sees it. Every method runs in transactions of its own."""

    @property
    def events(self) -> EventsPort: ...

    async def queue(self) -> Sequence[QueueLine]:
        """Everybody waiting, longest first."""
        ...

    async def mine(self, agent_id: str) -> Sequence[str]:
        """Ids of the conversations this agent owns now."""
        ...

    async def status(self, conversation_id: str) -> HolderPort:
        """Who owns it; raises not_found."""
        ...

    async def history(self, conversation_id: str, after_seq: int = 0, limit: int = 200) -> Sequence[Message]:
        """Ascending; with `after_seq` 0 the newest `limit` messages, otherwise the first `limit` after it."""
        ...

    async def facts(self, conversation_id: str) -> Mapping[str, Any]:
        """What is known; `desk.views.facts_view` says which keys are read."""
        ...

    async def claim(self, conversation_id: str, agent_id: str, agent_name: str) -> None:
        """Takes a waiting customer; raises already_claimed, not_queued, closed, not_found."""
        ...

    async def agent_say(self, conversation_id: str, agent_id: str, text: str, client_id: str) -> Message:
        """Says it once per `client_id`: a repeated one gives the message it made before. Raises not_owner."""
        ...

    async def hand_back(self, conversation_id: str, agent_id: str, note: str) -> None:
        """Gives the conversation to the assistant, the note is shown to the customer; raises not_owner."""
        ...

    async def requeue(self, conversation_id: str, agent_id: str, reason: str) -> None:
        """Puts the agent's customer back into the queue, at their old place; raises not_owner."""
        ...

    async def close(self, conversation_id: str, agent_id: str) -> None:
        """Ends the conversation; raises not_owner."""
        ...

    def typing(self, conversation_id: str, who: str) -> None:
        """Shows the customer that the agent writes."""
        ...
