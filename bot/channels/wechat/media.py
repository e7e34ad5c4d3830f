"""Pictures lent to Tencent: uploaded once, known by what they show and to whom, until Tencent forgets them."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from banking_core.clock import Clock
from banking_core.storage import Database
from bot.channels.wechat.api import WechatApi
from bot.channels.wechat.charts import drawn
from bot.channels.wechat.errors import DrawingFailed
from bot.channels.wechat.models import WechatMedium

KEPT_BY_TENCENT = timedelta(days=3)
# What is sent in the last minute must still be there to be seen.
GOOD_FOR = KEPT_BY_TENCENT - timedelta(hours=1)


class Media:
    """Gives media ids."""

    def __init__(self, database: Database, clock: Clock, api: WechatApi) -> None:
        self._database, self._clock, self._api = database, clock, api

    async def of_card(self, contact_id: str, card: dict[str, Any]) -> str:
        """The id of a card's picture for one follower, uploaded if need be. Raises WechatError."""
        try:
            image = await asyncio.to_thread(drawn, card)
        except Exception as error:  # whatever it is, what comes after it in the log must go out
            raise DrawingFailed(type(error).__name__) from error
        key = hashlib.sha256(contact_id.encode() + b"\0" + image).hexdigest()
        async with self._database.snapshot() as session:
            kept = await session.get(WechatMedium, key)
        if kept is not None and self._clock.now() < kept.good_until:
            return kept.media_id
        media_id = await self._api.upload_image(image)
        async with self._database.transaction() as session:
            good_until = self._clock.now() + GOOD_FOR
            await session.merge(
                WechatMedium(key=key, contact_id=contact_id, media_id=media_id, good_until=good_until)
            )
        return media_id

    async def lost(self, media_id: str) -> None:
        """Tencent does not know it any more."""
        async with self._database.transaction() as session:
            await session.execute(delete(WechatMedium).where(WechatMedium.media_id == media_id))

    async def forget(self) -> int:
        """Deletes what is of no use any more; returns how many."""
        statement = delete(WechatMedium).where(WechatMedium.good_until <= self._clock.now())
        async with self._database.transaction() as session:
            return len((await session.execute(statement.returning(WechatMedium.key))).all())
