"""Bringing what is said in a conversation to its follower: as the answer to a callback, or by customer-service message.

The log is the outbox. Each follower has a mark in it; whoever holds the follower's lease sends what follows the mark,
and moves it after each message that Tencent took. A process that dies in between sends one message twice; none is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, or_, select

from banking_core.storage import new_id
from bot.channels.wechat import contacts
from bot.channels.wechat.alerts import Alerts
from bot.channels.wechat.chosen import item_id
from bot.channels.wechat.dependencies import WechatDependencies
from bot.channels.wechat.errors import (
    ApiUnavailable,
    MediumLost,
    NotAllowed,
    QuotaSpent,
    Unreachable,
    WechatError,
    WindowClosed,
)
from bot.channels.wechat.media import Media
from bot.channels.wechat.models import WechatContact, WechatReceived
from bot.channels.wechat.outgoing import MENU_ITEMS_MAX, ImageOut, MenuOut, NewsOut, Out, TextOut
from bot.channels.wechat.texts import Mark, MessageJson, Piece, hint, pieces, size
from bot.conversation.models import Conversation
from bot.conversation.ratings import QUESTIONS

log = logging.getLogger(__name__)
HISTORY_PAGE = 200
CARD_BYTES_MAX = 400  # longer words are a text with a link, because a card cuts them
AT_ONCE_MAX = 8
SWEEP_MAX = 200
RETRY_S_FIRST, RETRY_S_MAX, TRIES_MAX = 5, 600, 8
RATE_HINT = "\n（可以回复1到5，给刚才的服务打分）"
PAGE_TITLES = {"password": "安全登录", "otp": "输入验证码", "totp": "输入动态口令", "id_tail": "再核对一项"}


@dataclass(frozen=True)
class Next:
    """The next message to a follower, and the mark once it is delivered; `more` when it is not the last."""

    out: Out
    upto: Mark
    more: bool
    plain: Out  # the same in words, for an account that may not send the other
    picture: dict[str, Any] | None = None  # the card whose picture it is; `out` says nothing then


class Deliveries:
    """Sends."""

    def __init__(self, deps: WechatDependencies, alerts: Alerts) -> None:
        self._deps, self._alerts = deps, alerts
        self._database, self._clock, self._hub = deps.database, deps.clock, deps.hub
        self._menus = deps.menu_messages
        self._media = Media(deps.database, deps.clock, deps.api)

    async def answer(self, contact_id: str, lease: str, received_id: str) -> Next | None:
        """What to answer a callback with, written down as delivered; None when there is nothing, or others send.

        The lease is given back either way.
        """
        async with self._database.transaction() as session:
            contact = await contacts.locked(session, contact_id)
            mine = contacts.take_lease(contact, lease, self._clock.now())
        if not mine:
            return None
        left = contacts.quota_left(contact, self._clock.now())
        found = await self._next(contact, 1 + left, menus=False)
        async with self._database.transaction() as session:
            fresh = await contacts.locked(session, contact_id)
            mine = fresh.busy_by == lease and fresh.conversation_id == contact.conversation_id
            contacts.end_lease(fresh, lease)
            if isinstance(found, Mark) and mine:
                contacts.deliver_upto(fresh, found)
            if not isinstance(found, Next) or found.picture is not None or not mine:
                return None  # to draw and upload takes too long for a response
            received = await session.get_one(WechatReceived, received_id, with_for_update=True)
            if received.status != "open":
                return (
                    None  # Tencent tries again while we are at work: nobody listens to this response any more
                )
            contacts.deliver_upto(fresh, found.upto)
            received.status, received.answer = "answered", out_to_json(found.out)
        return found

    async def deliver(self, contact_id: str) -> int:
        """Sends what waits for a follower, as far as the quota goes; returns how many messages."""
        lease, sent = new_id(), 0
        async with self._database.transaction() as session:
            contact = await contacts.locked(session, contact_id)
            if not contact.following or not contacts.take_lease(contact, lease, self._clock.now()):
                return 0
        try:
            while await self._send_next(contact_id, lease):
                sent += 1
        finally:
            async with self._database.transaction() as session:
                contacts.end_lease(await contacts.locked(session, contact_id), lease)
        return sent

    async def sweep(self) -> int:
        """Sends what events, other processes or crashes have left; returns how many messages."""
        async with self._database.snapshot() as session:
            waiting = list(await session.scalars(self._waiting().limit(SWEEP_MAX)))
        gate = asyncio.Semaphore(AT_ONCE_MAX)

        async def one(contact_id: str) -> int:
            async with gate:
                return await self.deliver(contact_id)

        return sum(await asyncio.gather(*(one(contact_id) for contact_id in waiting)))

    async def forget_media(self) -> int:
        """See `Media.forget`."""
        return await self._media.forget()

    async def deliver_in(self, conversation_id: str) -> None:
        """Something was said in a conversation: if it is a follower's, it is sent."""
        async with self._database.snapshot() as session:
            statement = self._waiting().where(WechatContact.conversation_id == conversation_id)
            contact_id = await session.scalar(statement)
        if contact_id is not None:
            await self.deliver(contact_id)

    def _waiting(self) -> Select[str]:
        """Followers for whom something waits that may be sent or told of now, and to whom nobody is sending."""
        now = self._clock.now()
        able = (WechatContact.quota_left > 0) & (WechatContact.quota_until > now)
        more = Conversation.next_seq - 1 > WechatContact.delivered_seq
        return (
            select(WechatContact.id)
            .join(Conversation, Conversation.id == WechatContact.conversation_id)
            .where(
                WechatContact.following,
                or_(more, WechatContact.delivered_chars > 0),
                or_(WechatContact.busy_until.is_(None), WechatContact.busy_until <= now),
                or_(WechatContact.retry_at.is_(None), WechatContact.retry_at <= now),
                or_(able, WechatContact.alerted_seq <= WechatContact.delivered_seq),
            )
            .order_by(WechatContact.seen_at)
        )

    async def _send_next(self, contact_id: str, lease: str) -> bool:
        """Sends one message; False when there is none, or none may be sent now."""
        async with self._database.transaction() as session:
            contact = await contacts.locked(session, contact_id)
            now = self._clock.now()
            if not contacts.take_lease(contact, lease, now):
                return False
        left = contacts.quota_left(contact, now)
        found = await self._next(contact, max(left, 1), menus=self._menus)
        if isinstance(found, Mark):  # only the customer's own words
            await self._write(contact, lease, found, used=0)
            return False
        if found is None or (contact.retry_at is not None and now < contact.retry_at):
            return False
        if left == 0:
            await self._alerts.waiting(contact)
            return False
        try:
            await self._send_in_time(contact, found)
        except WechatError as error:
            self._deps.metrics.sent.labels("service", error.code).inc()
            if isinstance(error, QuotaSpent | WindowClosed):
                await self._spent(contact, error)
                return False
            if found.picture is not None and not isinstance(error, Unreachable):
                log.warning("code=%s contact=%s a picture was left out", error.code, contact.id)
                await self._write(contact, lease, found.upto, used=0)  # the words beside it say as much
                return True
            if isinstance(error, NotAllowed):  # such an account speaks in responses only
                await self._spent(contact, error)
                return False
            await self._failed(contact, found, error)
            return False
        self._deps.metrics.sent.labels("service", "ok").inc()
        await self._write(contact, lease, found.upto, used=1)
        return True

    async def _send_in_time(self, contact: WechatContact, found: Next) -> None:
        """While the lease is surely ours: a slow Tencent and a token to renew may take longer than it."""
        try:
            async with asyncio.timeout(contacts.SEND_S_MAX):
                await self._send(contact, found)
        except TimeoutError:
            raise ApiUnavailable("too slow for the lease") from None

    async def _send(self, contact: WechatContact, found: Next) -> None:
        openid = contact.openid
        if found.picture is not None:
            await self._send_picture(contact, found.picture)
            return
        try:
            await self._deps.api.send(openid, found.out)
        except NotAllowed:
            if found.out == found.plain:
                raise
            self._menus = False  # this account has no menus: words from now on
            await self._deps.api.send(openid, found.plain)

    async def _send_picture(self, contact: WechatContact, card: dict[str, Any]) -> None:
        media_id = await self._media.of_card(contact.id, card)
        try:
            await self._deps.api.send(contact.openid, ImageOut(media_id))
        except MediumLost:
            await self._media.lost(media_id)
            media_id = await self._media.of_card(contact.id, card)
            await self._deps.api.send(contact.openid, ImageOut(media_id))

    async def _next(self, contact: WechatContact, count_max: int, *, menus: bool) -> Next | Mark | None:
        """The message that comes next, or the mark behind words that need not be sent; None when all is delivered."""
        mark = contacts.mark(contact)
        messages: Sequence[MessageJson] = await self._hub.history(
            contact.conversation_id, after_seq=mark.seq, limit=HISTORY_PAGE
        )
        if not messages:
            return None
        said = [message for message in messages if message["sender"] != "customer"]
        choices = said[-1]["choices"] if said else []
        status = await self._hub.status(contact.conversation_id)
        title = PAGE_TITLES.get(status.expects, "")
        asked = status.can_rate and any(message["text"] in QUESTIONS for message in said)
        words = hint(choices) + (RATE_HINT if asked else "")
        link = f'\n<a href="{self._deps.page_url}">{title}，请点这里</a>' if title else ""
        found = pieces(messages, mark, count_max=count_max, last_words=words + link)
        if not found:
            return Mark(messages[-1]["seq"])
        first, more = found[0], len(found) > 1
        if first.picture is not None:
            nothing = TextOut("")
            return Next(nothing, first.upto, more, nothing, picture=first.picture["card"])
        plain = TextOut(first.text)
        out: Out = plain
        if (
            link
            and first.text.endswith(link)
            and size(text := first.text.removesuffix(link)) <= CARD_BYTES_MAX
        ):
            out = plain = NewsOut(title, text, self._deps.page_url)  # type: ignore[assignment]
        elif menus and 0 < len(choices) <= MENU_ITEMS_MAX and first.text.endswith(hint(choices)):
            out = _menu(first, words, contact.conversation_id, said[-1])
        return Next(out, first.upto, more, plain)

    async def _write(self, contact: WechatContact, lease: str, upto: Mark, *, used: int) -> None:
        async with self._database.transaction() as session:
            fresh = await contacts.locked(session, contact.id)
            fresh.quota_left = max(0, fresh.quota_left - used)
            if fresh.conversation_id == contact.conversation_id and fresh.busy_by == lease:
                contacts.deliver_upto(fresh, upto)

    async def _spent(self, contact: WechatContact, error: WechatError) -> None:
        """Tencent counts differently, and Tencent's count holds: the rest waits for the customer's next message."""
        log.warning("code=%s contact=%s", error.code, contact.id)
        async with self._database.transaction() as session:
            fresh = await contacts.locked(session, contact.id)
            fresh.quota_left = 0
        await self._alerts.waiting(contact)

    async def _failed(self, contact: WechatContact, found: Next, error: WechatError) -> None:
        """Tried again later, longer and longer; what Tencent will never take is left out in the end."""
        log.warning("code=%s contact=%s %s", error.code, contact.id, error)
        async with self._database.transaction() as session:
            fresh = await contacts.locked(session, contact.id)
            if isinstance(error, Unreachable):
                fresh.following = False
                return
            fresh.tries += 1
            if fresh.tries >= TRIES_MAX and not isinstance(error, ApiUnavailable):
                log.error("code=wechat_message_given_up contact=%s seq=%s", contact.id, found.upto.seq)
                contacts.deliver_upto(fresh, found.upto)
                return
            wait_s = min(RETRY_S_FIRST * 2 ** min(fresh.tries - 1, 10), RETRY_S_MAX)
            fresh.retry_at = self._clock.now() + timedelta(seconds=wait_s)


def _menu(piece: Piece, words: str, conversation_id: str, message: MessageJson) -> MenuOut:
    """Choices to tap."""
    items = tuple(
        (item_id(conversation_id, message["seq"], n), choice["label"])
        for n, choice in enumerate(message["choices"])
    )
    return MenuOut(piece.text.removesuffix(words), items)


def out_to_json(out: Out) -> dict[str, Any]:
    """An answer as it is kept."""
    if isinstance(out, NewsOut):
        return {"title": out.title, "description": out.description, "url": out.url}
    assert isinstance(out, TextOut)
    return {"text": out.text}


def out_from_json(data: dict[str, Any]) -> Out:
    """The answer that was kept."""
    return TextOut(data["text"]) if "text" in data else NewsOut(**data)
