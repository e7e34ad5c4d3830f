"""What the skills are built with, and how a refusal of the bank becomes a sentence of the dialogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import Bank
from banking_core.errors import BankError
from bot.dialogue.skill import SkillRefused, Turn


class Tickets(Protocol):
    """Where a request for a call-back is filed."""

    async def create_ticket(
        self, session: AsyncSession, conversation_id: str, customer_id: str | None, phone: str, content: str
    ) -> str:
        """Returns the ticket number."""
        ...

    async def on_duty_count(self, session: AsyncSession) -> int:
        """How many people can take a customer now."""
        ...

    def promise(self) -> datetime:
        """Until when a ticket filed now is called back."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to every skill through `turn.services`."""

    bank: Bank
    tickets: Tickets
    pages_url: str = ""  # where customers' browsers reach us, for links in pictures


def services_of(turn: Turn) -> Services:
    """The services of this turn."""
    assert isinstance(turn.services, Services)
    return turn.services


def bank_of(turn: Turn) -> Bank:
    """The bank."""
    return services_of(turn).bank


def customer_of(turn: Turn) -> str:
    """The id of the logged-in customer; the engine lets no skill that needs a log-in run without one."""
    assert turn.customer_id is not None
    return turn.customer_id


@contextmanager
def refusals(**slot_of_code: str) -> Iterator[None]:
    """Turns a BankError into SkillRefused; `insufficient_funds="amount"` asks for that slot again."""
    try:
        yield
    except BankError as error:
        raise SkillRefused(error.customer_text, slot=slot_of_code.get(error.code)) from error
