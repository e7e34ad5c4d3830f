"""What the web channel needs of the hub, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from bot.channels.phone.alongside import Visitor
from bot.conversation.views import ConversationStatus, Inbound, Received
from bot.dialogue.reply import Reply

MessageJson = dict[str, Any]  # the fields of bot.conversation.views.MessageView


@dataclass(frozen=True)
class SmsSeen:
    """One message of the SMS sandbox, for the developer-only page."""

    phone: str
    text: str
    sent_at: datetime


class CallsPort(Protocol):
    """The line that takes calls from the page."""

    async def serve(self, socket: web.WebSocketResponse, visitor: Visitor) -> None:
        """One call, to its end, over an open socket. Raises CallRefused."""
        ...


class EventsPort(Protocol):
    """The hub's live events."""

    def subscribe(self, conversation_id: str) -> AbstractAsyncContextManager[asyncio.Queue[Any]]: ...


class HubPort(Protocol):
    """The conversation hub as the web channel sees it."""

    @property
    def events(self) -> EventsPort: ...
    async def open(self, channel: str, *, customer_id: str | None = None) -> str: ...
    async def receive(self, inbound: Inbound) -> Received: ...
    async def history(
        self, conversation_id: str, after_seq: int = 0, limit: int = 200
    ) -> Sequence[MessageJson]: ...
    async def status(self, conversation_id: str) -> ConversationStatus: ...
    async def attach_customer(self, conversation_id: str, customer_id: str, how: str) -> str: ...
    async def announce(self, conversation_id: str, reply: Reply, once_key: str) -> None: ...
    async def note_arrival(self, conversation_id: str, text: str, once_key: str) -> None: ...
    def typing(self, conversation_id: str, who: str) -> None: ...
    async def rate(self, conversation_id: str, score: int, comment: str) -> Any: ...
