"""From a proved and opened callback to its answer, within Tencent's five seconds and once per message.

A turn that ends in time is answered in the response, which costs no quota. Otherwise the response is `success`, the
turn goes on, and `deliveries` sends what came of it. A second delivery of a message gets the first one's answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.inserts import insert_if_absent
from banking_core.storage import new_id
from bot.channels.wechat import contacts
from bot.channels.wechat.callback import WINDOW, Stamp
from bot.channels.wechat.deliveries import Deliveries, out_from_json
from bot.channels.wechat.dependencies import WechatDependencies
from bot.channels.wechat.errors import CallbackRefused, NotHandled, Replayed
from bot.channels.wechat.messages import (
    Click,
    Message,
    Scan,
    Subscribe,
    Text,
    Unsubscribe,
    is_report,
    read_message,
)
from bot.channels.wechat.models import WechatContact, WechatNonce, WechatReceived
from bot.channels.wechat.outgoing import Out, TextOut
from bot.channels.wechat.turns import Turns
from bot.channels.wechat.xml import Fields
from bot.surfaces.rates import TokenBuckets

log = logging.getLogger(__name__)
ANSWER_WITHIN_S = 4.0  # of Tencent's five, the rest is for the way and for writing
USES_MAX = 4  # the first try and Tencent's three more
KEPT = 2 * WINDOW
RESUME_AFTER = timedelta(seconds=30)  # longer than a turn takes; one that is still at work does no harm
RESUME_WITHIN = timedelta(days=1)  # a later answer would only puzzle
RESUME_MAX = 50
CONTACT_KEPT = timedelta(days=30)
TOO_FAST = TextOut("您发得太快了，请歇几秒再发，刚才这条没有收到。")


@dataclass(frozen=True)
class Admitted:
    """A message that may be handled: whose it is, the lease to answer with, and the answer if it was given before."""

    contact_id: str
    lease: str
    status: str
    answer: Out | None


class Intake:
    """Takes messages."""

    def __init__(self, deps: WechatDependencies, turns: Turns, deliveries: Deliveries) -> None:
        self._deps, self._turns, self._deliveries = deps, turns, deliveries
        self._database, self._clock = deps.database, deps.clock
        self._rate = TokenBuckets(deps.clock, deps.limits.messages)
        self._running: set[asyncio.Task[bool]] = set()

    async def take(self, message: Message, stamp: Stamp, body: bytes) -> Out | None:
        """What to answer, None for `success`. Raises Replayed; NotHandled when another delivery should be tried."""
        try:
            how, out = await self._take(message, stamp, body)
        except CallbackRefused:
            raise
        except Exception as error:  # the database is away: another delivery may find it there
            log.error("code=wechat_not_taken %s", _place(error))
            raise NotHandled from None
        self._deps.metrics.received.labels(type(message.content).__name__.lower(), how).inc()
        return out

    async def _take(self, message: Message, stamp: Stamp, body: bytes) -> tuple[str, Out | None]:
        """How it was answered, and the answer."""
        began_s = asyncio.get_running_loop().time()
        if await self._is_too_fast(message):
            return "too_fast", TOO_FAST
        admitted = await self._admit(message, stamp, hashlib.sha256(body).hexdigest())
        if admitted.status != "open":
            return "again", admitted.answer
        turn = self.in_background(self._turns.handle(admitted.contact_id, message))
        left_s = ANSWER_WITHIN_S - (asyncio.get_running_loop().time() - began_s)
        if not await self._deps.within(turn, left_s):
            given = await self._put_off(message.key, message.fields)
            self.in_background(self._late(turn, admitted, message.key))
            return ("again", given) if given is not None else ("later", None)
        found = await self._deliveries.answer(admitted.contact_id, admitted.lease, message.key)
        if not turn.result() and found is None:
            raise NotHandled
        if found is not None:
            if found.more:
                self._deliver_later(admitted)
            return "answer", found.out
        given = await self._put_off(message.key, None)
        self._deliver_later(admitted)
        return ("again", given) if given is not None else ("later", None)

    async def _is_too_fast(self, message: Message) -> bool:
        """Whether a new message is one too many; another try of one that came is not the follower's haste."""
        content = message.content
        if isinstance(content, Subscribe | Unsubscribe) or is_report(content):
            return False
        async with self._database.snapshot() as session:
            if await session.get(WechatReceived, message.key) is not None:
                return False
        return self._rate.attempt(message.openid) > 0

    async def resume(self) -> int:
        """Handles what was acknowledged by a process that did not live to handle it; returns how many messages."""
        statement = (
            select(WechatReceived)
            .where(
                WechatReceived.status == "later",
                WechatReceived.message_sealed.is_not(None),
                WechatReceived.received_at <= self._clock.now() - RESUME_AFTER,
            )
            .order_by(WechatReceived.received_at)
            .limit(RESUME_MAX)
        )
        async with self._database.snapshot() as session:
            left = [(row, read_message(row.message or {})) for row in await session.scalars(statement)]
        for row, message in left:
            turn = self.in_background(self._turns.handle(row.contact_id, message))
            await self._late(turn, Admitted(row.contact_id, "", "later", None), row.id)
        return len(left)

    async def forget(self) -> int:
        """Deletes what has had its time: nonces, messages that nobody will deliver again, and those who left us long
        ago without an account; returns how many rows.
        """
        before = self._clock.now() - KEPT
        async with self._database.transaction() as session:
            nonces = delete(WechatNonce).where(WechatNonce.used_at <= before).returning(WechatNonce.key)
            over = (WechatReceived.received_at <= before) & WechatReceived.message_sealed.is_(None)
            lost = WechatReceived.received_at <= before - RESUME_WITHIN
            messages = delete(WechatReceived).where(over | lost).returning(WechatReceived.id)
            gone = ~WechatContact.following & WechatContact.customer_id.is_(None)
            gone = gone & (WechatContact.seen_at <= before - CONTACT_KEPT)
            people = delete(WechatContact).where(gone).returning(WechatContact.id)
            return sum([len((await session.execute(each)).all()) for each in (nonces, messages, people)])

    def in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[bool]:
        """A task that outlives the request; False when it failed, which is logged without its words."""
        task = asyncio.create_task(_logged(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def settled(self) -> None:
        """Waits for everything begun so far."""
        while self._running:
            await asyncio.gather(*tuple(self._running))

    async def _late(self, turn: asyncio.Task[bool], admitted: Admitted, key: str) -> None:
        """What follows from a turn that was not ready in time. One that failed is left for `resume`."""
        if await turn:
            await self._put_off(key, None)
        self._deliver_later(admitted)

    def _deliver_later(self, admitted: Admitted) -> None:
        async def deliver() -> None:
            async with self._database.transaction() as session:
                contacts.end_lease(await contacts.locked(session, admitted.contact_id), admitted.lease)
            await self._deliveries.deliver(admitted.contact_id)

        self.in_background(deliver())

    async def _admit(self, message: Message, stamp: Stamp, digest: str) -> Admitted:
        now, lease = self._clock.now(), new_id()
        contact_id = await contacts.ensure(self._database, self._deps.hub, message.openid, now)
        async with self._database.transaction() as session:
            await self._use_nonce(session, stamp, digest)
            contact = await contacts.locked(session, contact_id)
            values = {"id": message.key, "contact_id": contact.id, "status": "open", "received_at": now}
            fresh = await insert_if_absent(session, WechatReceived, values, unique="id")
            received = await session.get_one(WechatReceived, message.key)
            if fresh:
                self._note(contact, message)
            if received.status == "open":
                contacts.take_lease(contact, lease, now)
            answer = out_from_json(received.answer) if received.answer is not None else None
            return Admitted(contact.id, lease, received.status, answer)

    def _note(self, contact: WechatContact, message: Message) -> None:
        """What a new message means for the follower: they are there, and may be written to."""
        now, content = self._clock.now(), message.content
        if is_report(content):
            return
        contact.seen_at = now
        contact.following = not isinstance(content, Unsubscribe)
        if contact.following:
            tapped = isinstance(content, Text) and content.menu_id != ""
            contacts.grant(contact, now, wrote=not (tapped or isinstance(content, Subscribe | Scan | Click)))

    async def _use_nonce(self, session: AsyncSession, stamp: Stamp, digest: str) -> None:
        """A nonce is for one body, and for as many tries of it as Tencent makes. Raises Replayed."""
        parts = "\0".join((stamp.timestamp, stamp.nonce, stamp.msg_signature))
        key = hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()
        values = {"key": key, "body_digest": digest, "uses": 1, "used_at": self._clock.now()}
        if await insert_if_absent(session, WechatNonce, values, unique="key"):
            return
        nonce = await session.get_one(WechatNonce, key, with_for_update=True)
        if nonce.body_digest != digest or nonce.uses >= USES_MAX:
            raise Replayed
        nonce.uses += 1

    async def _put_off(self, key: str, fields: Fields | None) -> Out | None:
        """The answer comes by itself, and all deliveries of this message are only acknowledged; or another delivery was
        answered, then this is that answer.

        What came (`fields`) is kept until it is handled.
        """
        async with self._database.transaction() as session:
            received = await session.get_one(WechatReceived, key, with_for_update=True)
            if received.status != "answered":
                received.status, received.message = "later", fields
            return out_from_json(received.answer) if received.answer is not None else None


async def _logged(work: Coroutine[Any, Any, None]) -> bool:
    try:
        await work
        return True
    except Exception as error:
        log.error("code=wechat_turn_failed %s", _place(error))
        return False


def _place(error: Exception) -> str:
    """What went wrong and where, without its words: they may hold the customer's."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
    return f"{type(error).__name__} at {where}"
