"""What the hub asks of the people behind the assistant; the desk answers, in the transaction of the turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

Speaker = Literal["customer", "agent"]
Ended = Literal["closed", "handed_back", "left", "hung_up", "unattended"]


@dataclass(frozen=True, slots=True)
class Asking:
    """A customer who is to be handed to a human, and what is known of the matter.

    `reason` is a code of the rules' section `service`, `matter` the intent of what is under way or was talked about
    last, `told` says that a swindler's story was told, `language` is 'zh' or 'en'.
    """

    conversation_id: str
    customer_id: str | None
    channel: str
    reason: str
    level: str = ""
    matter: str = ""
    told: bool = False
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the customer comes in: why, how urgent (lower is sooner), and whether anybody is there who may serve."""

    reason: str
    priority: int
    staffed: bool


@dataclass(frozen=True, slots=True)
class OwedCall:
    """A call the bank makes to a customer, by itself, until `promised_at`."""

    number: str
    promised_at: datetime


class Staffing(Protocol):
    """The people behind the assistant. Every method works inside the caller's transaction and never commits."""

    async def on_duty_count(self, session: AsyncSession) -> int:
        """How many agents can take a customer now."""
        ...

    async def create_ticket(
        self, session: AsyncSession, conversation_id: str, customer_id: str | None, phone: str, content: str
    ) -> str:
        """Files a ticket for a call-back; returns its number."""
        ...

    async def place(self, session: AsyncSession, asking: Asking) -> Placement:
        """Decides why and how urgently; changes nothing."""
        ...

    async def turned_away(self, session: AsyncSession, asking: Asking, placement: Placement) -> None:
        """Nobody is there who may serve the customer; they are told so."""
        ...

    async def owe_call(
        self, session: AsyncSession, conversation_id: str, customer_id: str, phone: str, reason: str
    ) -> OwedCall | None:
        """Files a call to the customer's own number where the matter cannot wait; one call for all that is owed."""
        ...

    async def queued(self, session: AsyncSession, asking: Asking, placement: Placement) -> None:
        """The customer waits from now on: the clocks start."""
        ...

    async def admit(
        self,
        session: AsyncSession,
        conversation_id: str,
        agent_id: str,
        held: Callable[[], Awaitable[int]],
        *,
        by_colleague: bool = False,
        team: str = "",
    ) -> None:
        """The agent takes the customer, or is given them by a colleague. Raises unless on duty, allowed to, not fully
        loaded, and of the `team` for which the customer waits, if any and somebody else of it is there.

        Claims of one agent wait for each other here, so `held`, which counts what the agent then has, this customer
        included, is asked afterwards.
        """
        ...

    async def assert_team_there(self, session: AsyncSession, team: str, agent_id: str) -> None:
        """Raises unless somebody of the team, other than this agent, is on duty: nobody is sent to wait in vain."""
        ...

    async def assert_certified(self, session: AsyncSession, agent_id: str) -> None:
        """Raises unless the agent may say whether a customer is who they claim to be."""
        ...

    async def taken_over(self, session: AsyncSession, conversation_id: str, agent_id: str) -> None:
        """A supervisor takes the customer, whatever else they have."""
        ...

    async def spoke(self, session: AsyncSession, conversation_id: str, speaker: Speaker) -> None:
        """One of the two said something: clocks of replies begin or end."""
        ...

    async def requeued(self, session: AsyncSession, conversation_id: str) -> None:
        """The customer waits again; what was promised to them still holds."""
        ...

    async def ended(self, session: AsyncSession, conversation_id: str, how: Ended) -> None:
        """The customer is no longer with the desk: every clock stops."""
        ...

    async def can_serve(self, session: AsyncSession, conversation_id: str) -> bool:
        """Whether anybody on duty may take this waiting customer."""
        ...

    def opens_at(self, now: datetime) -> datetime:
        """`now` within the desk's hours, else their next beginning."""
        ...
