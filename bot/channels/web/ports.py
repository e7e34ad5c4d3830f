"""What the web channel needs of the hub and of the bank, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity import CodePurpose, Origin
from bot.conversation.views import ConversationStatus, Inbound, Received

MessageJson = dict[str, Any]  # the fields of bot.conversation.views.MessageView


@dataclass(frozen=True)
class SmsSeen:
    """One message of the SMS sandbox, for the developer-only page."""

    phone: str
    text: str
    sent_at: datetime


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
    def typing(self, conversation_id: str, who: str) -> None: ...
    async def rate(self, conversation_id: str, score: int, comment: str) -> Any: ...


class PasswordOutcomePort(Protocol):
    """ok, wrong or locked."""

    @property
    def kind(self) -> str: ...
    @property
    def customer_id(self) -> str | None: ...
    @property
    def tries_left(self) -> int | None: ...
    @property
    def locked_until(self) -> datetime | None: ...


class OtpSentPort(Protocol):
    """A code is on its way."""

    @property
    def challenge_id(self) -> str: ...
    @property
    def masked_phone(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def resend_after_s(self) -> int: ...


class OtpOutcomePort(Protocol):
    """ok, wrong, expired, exhausted or used."""

    @property
    def kind(self) -> str: ...
    @property
    def tries_left(self) -> int | None: ...


class PasswordsPort(Protocol):
    """Checks a log-in password."""

    async def verify(self, session: AsyncSession, phone: str, password: str) -> PasswordOutcomePort: ...


class OtpPort(Protocol):
    """Sends and checks one-time codes."""

    async def send(
        self, session: AsyncSession, *, customer_id: str, phone: str, purpose: CodePurpose, origin: Origin
    ) -> OtpSentPort: ...
    async def verify(
        self,
        session: AsyncSession,
        challenge_id: str,
        code: str,
        *,
        customer_id: str,
        purpose: CodePurpose,
        origin: Origin,
    ) -> OtpOutcomePort: ...


class IdentityPort(Protocol):
    """The bank's identity area."""

    @property
    def passwords(self) -> PasswordsPort: ...
    @property
    def otp(self) -> OtpPort: ...


class CustomersPort(Protocol):
    """The bank's customers; `get` gives an object with a `phone`."""

    async def get(self, session: AsyncSession, customer_id: str) -> Any: ...


class BankPort(Protocol):
    """The part of the bank the log-in needs."""

    @property
    def identity(self) -> IdentityPort: ...
    @property
    def customers(self) -> CustomersPort: ...
