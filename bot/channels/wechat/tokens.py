"""The access token: one for all processes, renewed by one of them at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.inserts import insert_if_absent
from banking_core.storage import Database
from bot.channels.wechat.errors import ApiUnavailable
from bot.channels.wechat.models import WechatToken

RENEW_BEFORE = timedelta(minutes=5)
LEASE = timedelta(seconds=15)  # longer than a call may take
POLL_S = 0.2
POLLS_MAX = 100


@dataclass(frozen=True)
class Issued:
    """A token as Tencent issued it."""

    token: str
    expires_in_s: int


Issue = Callable[[bool], Awaitable[Issued]]  # True: a new one even if the old is still good


class AccessTokens:
    """Gives the token. Whoever writes the lease into the row asks Tencent; the others use the old one, or wait."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        app_id: str,
        issue: Issue,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database, self._clock, self._app_id = database, clock, app_id
        self._issue, self._sleep = issue, sleep

    async def get(self) -> str:
        """A token that is good for now. Raises ApiUnavailable or ApiError."""
        return await self._good(refused="")

    async def after_refusal(self, refused: str) -> str:
        """Another token than the one that Tencent refused: somebody's newer one, or a new one."""
        return await self._good(refused=refused)

    async def _good(self, refused: str) -> str:
        for _ in range(POLLS_MAX):
            lease = secrets.token_hex(8)
            async with self._database.transaction() as session:
                row = await self._row(session)
                now = self._clock.now()
                leased = row.lease_until is not None and now < row.lease_until
                good_until = row.expires_at if row.token not in (None, refused) else None
                if good_until is not None and now < good_until - (
                    RENEW_BEFORE if not leased else timedelta()
                ):
                    return str(row.token)
                if not leased:
                    row.lease_by, row.lease_until = lease, now + LEASE
            if not leased:
                return await self._renew(lease, force=bool(refused))
            await self._sleep(POLL_S)
        raise ApiUnavailable("another process renews the token and does not finish")

    async def _renew(self, lease: str, force: bool) -> str:
        try:
            issued = await self._issue(force)
        except BaseException:
            await self._release(lease)
            raise
        async with self._database.transaction() as session:
            row = await self._row(session)
            row.token = issued.token
            row.expires_at = self._clock.now() + timedelta(seconds=issued.expires_in_s)
            if row.lease_by == lease:
                row.lease_by = row.lease_until = None
        return issued.token

    async def _release(self, lease: str) -> None:
        async with self._database.transaction() as session:
            row = await self._row(session)
            if row.lease_by == lease:
                row.lease_by = row.lease_until = None

    async def _row(self, session: AsyncSession) -> WechatToken:
        """The row, locked."""
        row = await session.get(WechatToken, self._app_id, with_for_update=True)
        if row is None:
            await insert_if_absent(session, WechatToken, {"id": self._app_id}, unique="id")
            row = await session.get_one(WechatToken, self._app_id, with_for_update=True)
        return row
