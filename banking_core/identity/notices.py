"""Telling the customer by text message what happened to their security. No notice holds a code or a link."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import BANK_ZONE
from banking_core.errors import ProviderUnavailable
from banking_core.providers.protocols import SmsGateway
from banking_core.storage import after_commit, new_id

log = logging.getLogger(__name__)


class SecurityNotices:
    """Sends once the session is committed; a gateway that does not answer stops nothing."""

    def __init__(self, sms: SmsGateway, hotline: str) -> None:
        self._sms = sms
        self._hotline = hotline

    def tell(self, session: AsyncSession, phone: str, what: str, at: datetime) -> None:
        """`what` is a Chinese clause without a full stop, such as 您的登录密码已修改."""
        key = f"notice:{new_id()}"
        moment = at.astimezone(BANK_ZONE)
        when = f"{moment.month}月{moment.day}日{moment:%H:%M}"
        text = f"【掌柜银行】{what}（{when}）。如果不是您本人操作，请立即拨打{self._hotline}。"

        async def send() -> None:
            try:
                await self._sms.send(key=key, phone=phone, text=text)
            except ProviderUnavailable:
                log.warning("code=notice_not_sent notice %s was not accepted", key)

        after_commit(session, send)
