"""Followers: found by openid, locked; their mark, their quota, the lease to send to them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity import Origin
from banking_core.inserts import insert_if_absent
from banking_core.storage import Database, new_id
from banking_core.vault import sealed_values
from bot.channels.wechat.models import WechatContact
from bot.channels.wechat.texts import Mark
from bot.conversation.hub import Hub

CHANNEL = "wechat"
DEVICE_NAME = "微信公众号"
LEASE = timedelta(seconds=20)
SEND_S_MAX = 15.0  # one message with all its calls: within the lease, so that nobody else sends it meanwhile
MESSAGE_QUOTA, MESSAGE_WINDOW = 5, timedelta(hours=48)
EVENT_QUOTA, EVENT_WINDOW = 3, timedelta(minutes=1)


def origin_of(openid: str, *, address: str = "", session_id: str = "") -> Origin:
    """A follower's WeChat as a device of theirs; the openid itself stays with the channel."""
    device = hashlib.sha256(f"wechat\0{openid}".encode()).hexdigest()
    return Origin(CHANNEL, address, device, DEVICE_NAME, session_id)


async def find(session: AsyncSession, openid: str) -> WechatContact | None:
    """The follower, or None."""
    return await session.scalar(select(WechatContact).where(WechatContact.openid.equals(session, openid)))


async def ensure(database: Database, hub: Hub, openid: str, now: datetime) -> str:
    """The follower's id, with a conversation of their own at first; two at once make one."""
    async with database.snapshot() as session:
        found = await find(session, openid)
    if found is not None:
        return found.id
    values: dict[str, Any] = {
        "id": new_id(),
        "openid": openid,
        "conversation_id": await hub.open(CHANNEL),
        "following": True,
        "delivered_seq": 0,
        "delivered_chars": 0,
        "quota_left": 0,
        "quota_until": now,
        "tries": 0,
        "alerted_seq": 0,
        "created_at": now,
        "seen_at": now,
    }
    async with database.transaction() as session:
        stored = sealed_values(session, WechatContact, values)
        await insert_if_absent(session, WechatContact, stored, unique="openid_index")
        found = await find(session, openid)
        assert found is not None
        return found.id


async def locked(session: AsyncSession, contact_id: str) -> WechatContact:
    """The follower's row, locked and as it is now."""
    statement = (
        select(WechatContact)
        .where(WechatContact.id == contact_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one()


def mark(contact: WechatContact) -> Mark:
    """How far it is delivered."""
    return Mark(contact.delivered_seq, contact.delivered_chars)


def deliver_upto(contact: WechatContact, upto: Mark) -> None:
    """It is delivered up to there."""
    contact.delivered_seq, contact.delivered_chars = upto.seq, upto.chars
    contact.tries, contact.retry_at = 0, None


def grant(contact: WechatContact, now: datetime, *, wrote: bool) -> None:
    """A message opens 5 for 48 hours; a click, scan or subscription 3 for a minute. They do not add up."""
    quota, window = (MESSAGE_QUOTA, MESSAGE_WINDOW) if wrote else (EVENT_QUOTA, EVENT_WINDOW)
    contact.quota_left = max(quota_left(contact, now), quota)
    contact.quota_until = max(contact.quota_until, now + window)


def quota_left(contact: WechatContact, now: datetime) -> int:
    """How many messages may be sent now."""
    return contact.quota_left if now < contact.quota_until else 0


def take_lease(contact: WechatContact, by: str, now: datetime) -> bool:
    """From now on only `by` sends to this follower; False while somebody else does."""
    if contact.busy_by not in (None, by) and contact.busy_until is not None and now < contact.busy_until:
        return False
    contact.busy_by, contact.busy_until = by, now + LEASE
    return True


def end_lease(contact: WechatContact, by: str) -> None:
    """Others may send again."""
    if contact.busy_by == by:
        contact.busy_by = contact.busy_until = None


def change_conversation(contact: WechatContact, conversation_id: str) -> None:
    """From now on they talk in this one, from its beginning."""
    contact.conversation_id = conversation_id
    contact.delivered_seq = contact.delivered_chars = contact.alerted_seq = 0
