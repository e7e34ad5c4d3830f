"""SMS that are kept instead of sent; a page for developers shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.providers.protocols import ProviderResult
from banking_core.providers.sandbox.store import SandboxSms, SandboxStore

RECENT_MAX = 200


@dataclass(frozen=True)
class SentSms:
    """One kept message."""

    phone: str
    text: str
    sent_at: datetime


@checked
class SmsSandbox:
    """An SmsGateway that keeps what it is given."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    async def send(self, *, key: str, phone: str, text: str) -> None:
        """Keeps one message per key."""

        async def keep(session: AsyncSession) -> ProviderResult:
            session.add(SandboxSms(phone=phone, text=text, sent_at=self._store.clock.now()))
            return ProviderResult(ok=True, reference=key)

        await self._store.once("sms", key, {"phone": phone, "text": text}, keep)

    async def recent(self, limit: int = 20, *, phone: str | None = None) -> list[SentSms]:
        """The newest messages first, to one phone number or all."""
        statement = select(SandboxSms).order_by(SandboxSms.id.desc()).limit(min(limit, RECENT_MAX))
        if phone is not None:
            statement = statement.where(SandboxSms.phone == phone)
        async with self._store.snapshot() as session:
            return [SentSms(row.phone, row.text, row.sent_at) for row in await session.scalars(statement)]
