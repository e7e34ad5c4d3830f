"""Recording notices in the transaction of what they are about, and sending the urgent ones afterwards.

The gateway is called outside any transaction with the notice's id as its key, so a crash between the call and writing
it down sends nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.customers.service import Customers
from banking_core.errors import ProviderUnavailable
from banking_core.notices.models import Notice
from banking_core.providers.protocols import SmsGateway
from banking_core.storage import Database

log = logging.getLogger(__name__)
SIGNATURE = "【掌柜银行】"
LIST_MAX = 100
BATCH = 100
RETRY_S_FIRST = 30
TRIES_MAX = 8  # about an hour; a later message would only puzzle


@checked
class Notices:
    """The notices of customers. Methods that take a session never commit."""

    def __init__(self, clock: Clock, customers: Customers, sms: SmsGateway) -> None:
        self._clock = clock
        self._customers = customers
        self._sms = sms

    async def tell(
        self, session: AsyncSession, *, key: str, customer_id: str, kind: str, text: str, urgent: bool
    ) -> Notice:
        """Records a notice once per key; the caller's locks keep two of one key from being written at once."""
        found = await session.scalar(select(Notice).where(Notice.key == key))
        if found is not None:
            return found
        now = self._clock.now()
        notice = Notice(
            key=key,
            customer_id=customer_id,
            kind=kind,
            text=text,
            urgent=urgent,
            created_at=now,
            read_at=None,
            tries=0,
            next_try_at=now,
            sent_at=None,
            given_up_at=None,
        )
        session.add(notice)
        await session.flush()
        return notice

    async def list(
        self, session: AsyncSession, customer_id: str, *, unread: bool = False, limit: int = 20
    ) -> Sequence[Notice]:
        """A customer's notices, newest first, at most 100."""
        statement = select(Notice).where(Notice.customer_id == customer_id)
        if unread:
            statement = statement.where(Notice.read_at.is_(None))
        statement = statement.order_by(Notice.created_at.desc(), Notice.id).limit(
            max(0, min(limit, LIST_MAX))
        )
        return (await session.scalars(statement)).all()

    async def mark_read(self, session: AsyncSession, customer_id: str, notices: Sequence[Notice]) -> None:
        """The customer has seen them."""
        for notice in notices:
            assert notice.customer_id == customer_id
            notice.read_at = notice.read_at or self._clock.now()
        await session.flush()

    async def send_due(self, database: Database) -> int:
        """Sends urgent notices that are waiting; returns how many went out."""
        async with database.snapshot() as session:
            statement = (
                select(Notice)
                .where(
                    Notice.urgent,
                    Notice.sent_at.is_(None),
                    Notice.given_up_at.is_(None),
                    Notice.next_try_at <= self._clock.now(),
                )
                .order_by(Notice.next_try_at, Notice.id)
                .limit(BATCH)
            )
            due = [
                (notice, (await self._customers.get(session, notice.customer_id)).phone)
                for notice in (await session.scalars(statement)).all()
            ]
        sent = 0
        for notice, phone in due:
            try:
                await self._sms.send(key=f"notice:{notice.id}", phone=phone, text=SIGNATURE + notice.text)
                done = True
            except ProviderUnavailable:
                log.warning("code=notice_not_sent notice %s was not accepted", notice.id)
                done = False
            await self._write_down(database, notice.id, done)
            sent += done
        return sent

    async def _write_down(self, database: Database, notice_id: str, sent: bool) -> None:
        async with database.transaction() as session:
            notice = await session.get_one(Notice, notice_id, with_for_update=True)
            if notice.sent_at is not None or notice.given_up_at is not None:
                return  # another process was faster
            now = self._clock.now()
            if sent:
                notice.sent_at = now
                return
            notice.next_try_at = now + timedelta(seconds=RETRY_S_FIRST * 2**notice.tries)
            notice.tries += 1
            if notice.tries >= TRIES_MAX:
                notice.given_up_at = now
