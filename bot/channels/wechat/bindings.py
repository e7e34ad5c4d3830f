"""Whose account a follower may act for: bound by a log-in at the secure page, which makes the WeChat a trusted device.

The binding is as good as the trust in that device: it ends with the days of the terms, with a new password, a recovery
or a freeze, from the customer's own list of devices, and when they unfollow. One customer, one WeChat.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.bank import Bank
from banking_core.clock import BANK_ZONE
from banking_core.identity import HOTLINE_TERM
from banking_core.identity.models import BankSession
from banking_core.storage import Database, new_id
from bot.channels.wechat import contacts
from bot.channels.wechat.models import WechatContact
from bot.conversation import log, ownership
from bot.conversation.hub import Hub
from bot.dialogue.reply import Reply

HOW = "微信绑定"
BOUND = "微信绑定好了。不用了可以随时说“解除绑定”。"


class Bindings:
    """Binds, checks, unbinds; each in transactions of its own."""

    def __init__(self, database: Database, bank: Bank, hub: Hub) -> None:
        self._database, self._bank, self._hub = database, bank, hub

    async def bind(self, contact_id: str, customer_id: str, session_id: str) -> bool:
        """After a log-in at the page in `session_id`. False, and nothing is bound, when its device is not trusted.

        Another WeChat of the same customer is unbound; the customer is told by text message.
        """
        async with self._database.transaction() as session:
            contact = await contacts.locked(session, contact_id)
            await self._bank.customers.lock(session, customer_id)  # two at once would both find no other
            origin = contacts.origin_of(contact.openid)
            device = await self._bank.identity.devices.known(session, customer_id, origin)
            visit = await session.get(BankSession, session_id)
            trusted = self._bank.identity.devices.is_trusted(device)
            if device is None or visit is None or visit.device_id != device.id or not trusted:
                return False
            others = select(WechatContact.id).where(
                WechatContact.customer_id == customer_id, WechatContact.id != contact_id
            )
            replaced = list(await session.scalars(others))
            now = self._bank.clock.now()
            fresh = contact.customer_id != customer_id
            contact.customer_id, contact.device_id, contact.bound_at = customer_id, device.id, now
            if fresh:
                self._note(session, contact, customer_id, "bound", now)
                await self._tell(session, customer_id, now)
        for other in replaced:
            await self.unbind(other, "replaced")
        return True

    async def is_over(self, contact_id: str) -> bool:
        """Whether a follower is bound but may no longer act for the customer."""
        async with self._database.snapshot() as session:
            contact = await session.get_one(WechatContact, contact_id)
            if contact.customer_id is None:
                return False
            devices = self._bank.identity.devices
            device = await devices.known(session, contact.customer_id, contacts.origin_of(contact.openid))
            return device is None or device.id != contact.device_id or not devices.is_trusted(device)

    async def unbind(self, contact_id: str, why: str) -> bool:
        """Ends a binding; the follower goes on in a new conversation, as nobody. False when there was none."""
        async with self._database.snapshot() as session:
            if (await session.get_one(WechatContact, contact_id)).customer_id is None:
                return False
        conversation_id = await self._hub.open(contacts.CHANNEL)
        async with self._database.transaction() as session:
            contact = await contacts.locked(session, contact_id)
            customer_id, device_id = contact.customer_id, contact.device_id
            if customer_id is None:
                return False
            contact.customer_id = contact.device_id = contact.bound_at = None
            before = await log.locked(session, contact.conversation_id)
            if before.owner in ("queue", "agent"):  # nobody would be there to be served
                ownership.close(before, self._bank.clock.now())
            contacts.change_conversation(contact, conversation_id)
            devices = self._bank.identity.devices
            origin = contacts.origin_of(contact.openid)
            device = await devices.known(session, customer_id, origin)
            if device is not None and device.id == device_id:
                await devices.unbind(session, customer_id, device.id, origin=origin)
            self._note(session, contact, customer_id, "unbound", self._bank.clock.now(), why)
        await self._hub.publish(before.id, [], True)
        return True

    async def attach(self, contact_id: str, *, said_once: str = "") -> str:
        """Sees to it that a bound follower's conversation is the customer's; returns its id. Safe to run again.

        With a key in `said_once` the customer is told, before what waited for the log-in goes on.
        """
        async with self._database.snapshot() as session:
            contact = await session.get_one(WechatContact, contact_id)
        conversation_id, customer_id = contact.conversation_id, contact.customer_id
        if customer_id is None:
            return conversation_id
        owner = (await self._hub.status(conversation_id)).customer_id
        if owner not in (None, customer_id):
            conversation_id = await self._hub.open(contacts.CHANNEL)
            async with self._database.transaction() as session:
                contacts.change_conversation(await contacts.locked(session, contact_id), conversation_id)
        if said_once:
            await self._hub.announce(conversation_id, Reply(BOUND), said_once)
        if owner != customer_id:
            await self._hub.attach_customer(conversation_id, customer_id, HOW)
        return conversation_id

    async def _tell(self, session: AsyncSession, customer_id: str, now: datetime) -> None:
        at = now.astimezone(BANK_ZONE)
        hotline = self._bank.terms.text(HOTLINE_TERM)
        text = f"您的账户已绑定微信（{at.month}月{at.day}日{at:%H:%M}）。如果不是您本人操作，请立即拨打{hotline}。"
        await self._bank.notices.tell(
            session,
            key=f"wechat_bound:{new_id()}",
            customer_id=customer_id,
            kind="security",
            text=text,
            urgent=True,
        )

    def _note(
        self,
        session: AsyncSession,
        contact: WechatContact,
        customer_id: str,
        what: str,
        now: datetime,
        why: str = "",
    ) -> None:
        note(
            session,
            f"wechat.{what}",
            at=now,
            customer_id=customer_id,
            object_kind="wechat",
            object_id=contact.id,
            after={"why": why} if why else None,
        )
