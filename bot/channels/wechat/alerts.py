"""Template messages: that something waits which may not be sent yet, and what the bank tells its customers urgently."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select

from banking_core.clock import BANK_ZONE
from banking_core.inserts import insert_if_absent
from banking_core.notices import Notice
from bot.channels.wechat import contacts
from bot.channels.wechat.dependencies import WechatDependencies
from bot.channels.wechat.errors import ApiUnavailable, WechatError
from bot.channels.wechat.models import WechatAlert, WechatContact

log = logging.getLogger(__name__)
FIELD_CHARS_MAX = 20  # what Tencent takes in a field of a template
WAITING_TITLE, WAITING_TEXT = "您有新的消息", "在公众号里发任意文字即可查看"
KINDS = {"security": "账户安全提醒", "mandate": "约定付款提醒"}
OTHER_KIND = "银行业务提醒"
AGAIN_AFTER = timedelta(minutes=1)
FRESH = timedelta(hours=1)  # a later one would only puzzle
BATCH = 100


class Alerts:
    """Sends template messages, where the account has a template."""

    def __init__(self, deps: WechatDependencies) -> None:
        self._deps = deps
        self._database, self._clock = deps.database, deps.clock

    async def waiting(self, contact: WechatContact) -> None:
        """Nothing may be sent until the customer writes: they are told once that something waits.

        While Tencent is away it is tried again.
        """
        async with self._database.transaction() as session:
            fresh = await contacts.locked(session, contact.id)
            if fresh.alerted_seq > fresh.delivered_seq:
                return
            fresh.alerted_seq = fresh.delivered_seq + 1
        once_key = f"{contact.id[:20]}.{contact.delivered_seq}"
        try:
            await self._send(contact.openid, WAITING_TITLE, WAITING_TEXT, once_key)
        except WechatError as error:
            log.warning("code=%s contact=%s was not told that something waits", error.code, contact.id)
            if not isinstance(error, ApiUnavailable):
                return
            async with self._database.transaction() as session:
                fresh = await contacts.locked(session, contact.id)
                fresh.alerted_seq = min(fresh.alerted_seq, fresh.delivered_seq)
                fresh.retry_at = self._clock.now() + AGAIN_AFTER

    async def send_due(self) -> int:
        """Sends the urgent notices of the last hour to those who are bound; returns how many.

        A notice is claimed before it is sent, and Tencent shows one per id: none comes twice.
        """
        if self._deps.alert is None:
            return 0
        now = self._clock.now()
        statement = (
            select(Notice, WechatContact)
            .join(WechatContact, WechatContact.customer_id == Notice.customer_id)
            .outerjoin(WechatAlert, WechatAlert.notice_id == Notice.id)
            .where(
                Notice.urgent,
                Notice.created_at > now - FRESH,
                WechatContact.following,
                WechatAlert.notice_id.is_(None),
            )
            .order_by(Notice.created_at)
            .limit(BATCH)
        )
        async with self._database.snapshot() as session:
            due = [(notice, contact) for notice, contact in await session.execute(statement)]
        return sum([await self._notify(notice, contact) for notice, contact in due])

    async def _notify(self, notice: Notice, contact: WechatContact) -> bool:
        claim = {"notice_id": notice.id, "claimed_at": self._clock.now(), "sent_at": None}
        async with self._database.transaction() as session:
            if not await insert_if_absent(session, WechatAlert, claim, unique="notice_id"):
                return False
        try:
            title = KINDS.get(notice.kind, OTHER_KIND)
            await self._send(contact.openid, title, notice.text, notice.id)
        except WechatError as error:
            log.warning("code=%s notice=%s", error.code, notice.id)
            async with self._database.transaction() as session:
                alert = await session.get_one(WechatAlert, notice.id)
                if isinstance(error, ApiUnavailable):
                    await session.delete(alert)  # the next round tries again
            return False
        async with self._database.transaction() as session:
            (await session.get_one(WechatAlert, notice.id)).sent_at = self._clock.now()
        return True

    async def _send(self, openid: str, title: str, text: str, once_key: str) -> None:
        template = self._deps.alert
        if template is None:
            return
        at = self._clock.now().astimezone(BANK_ZONE)
        values = {"title": title, "text": _cut(text), "time": f"{at:%Y-%m-%d %H:%M:%S}"}
        data = {name: values[meaning] for meaning, name in template.fields.items()}
        try:
            await self._deps.api.send_template(
                openid, template.template_id, self._deps.page_url, data, once_key
            )
        except WechatError as error:
            self._deps.metrics.sent.labels("template", error.code).inc()
            raise
        self._deps.metrics.sent.labels("template", "ok").inc()


def _cut(text: str) -> str:
    return text if len(text) <= FIELD_CHARS_MAX else text[: FIELD_CHARS_MAX - 1] + "…"
