"""Telling the customer what happened to their security. No notice holds a code or a link."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import BANK_ZONE
from banking_core.notices import Notices
from banking_core.storage import new_id

KIND = "security"


class SecurityNotices:
    """Urgent notices: each goes out as a text message too."""

    def __init__(self, notices: Notices, hotline: str) -> None:
        self._notices = notices
        self._hotline = hotline

    async def tell(self, session: AsyncSession, customer_id: str, what: str, at: datetime) -> None:
        """`what` is a Chinese clause without a full stop, such as 您的登录密码已修改."""
        moment = at.astimezone(BANK_ZONE)
        when = f"{moment.month}月{moment.day}日{moment:%H:%M}"
        text = f"{what}（{when}）。如果不是您本人操作，请立即拨打{self._hotline}。"
        await self._notices.tell(
            session,
            key=f"{KIND}:{new_id()}",
            customer_id=customer_id,
            kind=KIND,
            text=text,
            urgent=True,
        )
