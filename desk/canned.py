"""Replies kept ready under a shortcut: those the desk comes with, those of all, and each agent's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.storage import new_id
from desk.errors import BadRequest, NotAllowed, NotThere
from desk.logins import Seat
from desk.models import CannedReply

OWN_MAX = 100
SHARED = ""
_SHORTCUT = re.compile(r"[\w一-鿿-]{1,16}")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; `id` is "" for those the desk comes with, which nobody changes."""

    id: str
    shortcut: str
    text: str
    shared: bool


class CannedReplies:
    """Lists and keeps canned replies. Methods that take a session never commit."""

    def __init__(self, clock: Clock, packaged: Mapping[str, str]) -> None:
        self._clock, self._packaged = clock, packaged

    async def listed(self, session: AsyncSession, seat: Seat) -> list[Reply]:
        """The agent's own first; under one shortcut an own reply goes before a shared one, that before a packaged."""
        rows = await session.scalars(
            select(CannedReply)
            .where(CannedReply.owner_id.in_((seat.agent_id, SHARED)))
            .order_by(CannedReply.owner_id.desc(), CannedReply.shortcut)
        )
        kept = [Reply(row.id, row.shortcut, row.text, row.owner_id == SHARED) for row in rows]
        kept += [Reply("", shortcut, text, True) for shortcut, text in self._packaged.items()]
        by_shortcut: dict[str, Reply] = {}
        for reply in kept:
            by_shortcut.setdefault(reply.shortcut, reply)
        return list(by_shortcut.values())

    async def keep(
        self, session: AsyncSession, seat: Seat, shortcut: str, text: str, *, shared: bool
    ) -> CannedReply:
        """Adds a reply, or changes the one of that shortcut. Raises BadRequest or NotAllowed."""
        if not _SHORTCUT.fullmatch(shortcut):
            raise BadRequest("快捷词用1到16个字、字母或数字，不带空格。")
        if shared and not seat.rights.shares:
            raise NotAllowed("共享的常用语由资深坐席或主管维护，您可以存成自己的。")
        owner = SHARED if shared else seat.agent_id
        row = await session.scalar(
            select(CannedReply)
            .where(CannedReply.owner_id == owner, CannedReply.shortcut == shortcut)
            .with_for_update()
        )
        if row is None:
            await self._ensure_room(session, owner)
            row = CannedReply(id=new_id(), owner_id=owner, shortcut=shortcut)
            session.add(row)
        row.text, row.changed_by, row.changed_at = text, seat.agent_id, self._clock.now()
        await session.flush()
        return row

    async def drop(self, session: AsyncSession, seat: Seat, reply_id: str) -> CannedReply:
        """Deletes one. Raises NotThere, for a colleague's own too, or NotAllowed."""
        row = await session.get(CannedReply, reply_id)
        if row is None or row.owner_id not in (SHARED, seat.agent_id):
            raise NotThere("没有这条常用语。")
        if row.owner_id == SHARED and not seat.rights.shares:
            raise NotAllowed("共享的常用语由资深坐席或主管维护。")
        await session.execute(delete(CannedReply).where(CannedReply.id == row.id))
        return row

    async def _ensure_room(self, session: AsyncSession, owner: str) -> None:
        statement = select(func.count()).select_from(CannedReply).where(CannedReply.owner_id == owner)
        if int(await session.scalar(statement) or 0) >= OWN_MAX:
            raise BadRequest(f"常用语最多{OWN_MAX}条，请先删掉不用的。")
