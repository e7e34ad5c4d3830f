"""Replies kept ready under a shortcut: those the desk comes with, those of all or of a team, and each agent's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import Clock
from banking_core.storage import new_id
from bot.surfaces.errors import BadRequest
from desk.errors import NotAllowed, NotThere, ReplyTaken
from desk.logins import Seat
from desk.models import CannedReply, DeskAgent
from desk.placeholders import check_placeholders

KEPT_MAX = 200  # of one scope in use
ROWS_MAX = 1000  # of one scope, those out of use too
_SHORTCUT = re.compile(r"[\w一-鿿-]{1,16}")
_TEAM = "team:"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a reply is for: one agent, one team, or with neither all."""

    owner_id: str = ""
    team: str = ""

    @property
    def code(self) -> str:
        """'own', 'all' or 'team:信贷组'."""
        return "own" if self.owner_id else _TEAM + self.team if self.team else "all"

    @classmethod
    def of(cls, code: str, seat: Seat) -> Scope:
        """The scope a code of this agent's names. Raises BadRequest."""
        if code in ("own", "all"):
            return cls(owner_id=seat.agent_id if code == "own" else "")
        if not code.startswith(_TEAM) or not code.removeprefix(_TEAM):
            raise BadRequest("请选择这条常用语给谁用。")
        return cls(team=code.removeprefix(_TEAM))

    def rows(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """The condition for its rows."""
        return CannedReply.owner_id == self.owner_id, CannedReply.team == self.team

    def may_be_kept_by(self, seat: Seat) -> bool:
        """One's own always; of all, and of one's own team, with the right to share; of every team by who leads."""
        if self.owner_id:
            return self.owner_id == seat.agent_id
        return seat.rights.leads or (seat.rights.shares and self.team in ("", seat.team))


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; `id` is "" for those the desk comes with, which nobody changes."""

    id: str
    shortcut: str
    text: str
    scope: Scope
    retired: bool = False


class CannedReplies:
    """Lists and keeps canned replies. Methods that take a session never commit."""

    def __init__(self, clock: Clock, packaged: Mapping[str, str]) -> None:
        self._clock, self._packaged = clock, packaged

    async def listed(self, session: AsyncSession, seat: Seat) -> list[Reply]:
        """Those in use for this agent, in order: own, the team's, all's, packaged; a shortcut's first one counts."""
        mine, teams = Scope(owner_id=seat.agent_id), Scope(team=seat.team)
        kept = [*await self._of(session, mine), *(await self._of(session, teams) if seat.team else ())]
        kept += await self._of(session, Scope())
        kept = [reply for reply in kept if not reply.retired]
        kept += [Reply("", shortcut, text, Scope()) for shortcut, text in self._packaged.items()]
        by_shortcut: dict[str, Reply] = {}
        for reply in kept:
            by_shortcut.setdefault(reply.shortcut, reply)
        return list(by_shortcut.values())

    async def scopes(self, session: AsyncSession, seat: Seat) -> list[tuple[Scope, str]]:
        """For whom this agent may keep replies, in words."""
        teams = await session.scalars(
            select(DeskAgent.team).where(DeskAgent.active, DeskAgent.team != "").distinct()
        )
        found = [(Scope(owner_id=seat.agent_id), "只我自己"), (Scope(), "所有同事")]
        found += [(Scope(team=team), team) for team in sorted(teams)]
        return [(scope, words) for scope, words in found if scope.may_be_kept_by(seat)]

    async def kept(self, session: AsyncSession, seat: Seat) -> list[Reply]:
        """All that this agent may change, retired ones too, scope by scope in order."""
        return [
            reply for scope, _ in await self.scopes(session, seat) for reply in await self._of(session, scope)
        ]

    async def add(
        self, session: AsyncSession, seat: Seat, scope: Scope, shortcut: str, text: str
    ) -> CannedReply:
        """A new one, after the others. Raises BadRequest, NotAllowed or ReplyTaken."""
        _check(shortcut, text)
        _require(scope, seat)
        if scope.team and scope.code not in {known.code for known, _ in await self.scopes(session, seat)}:
            raise BadRequest("没有这个小组，请刷新后再选。")
        rows = await self._locked(session, scope)
        _assert_room(rows)
        if len(rows) >= ROWS_MAX:
            raise BadRequest(f"连停用的最多{ROWS_MAX}条，请把停用的改成新的。")
        row = CannedReply(id=new_id(), owner_id=scope.owner_id, team=scope.team, position=len(rows))
        await self._write(session, row, seat, shortcut, text)
        return row

    async def change(
        self, session: AsyncSession, seat: Seat, reply_id: str, shortcut: str, text: str
    ) -> tuple[CannedReply, str]:
        """Another shortcut or text; with it the text it had. Raises BadRequest, NotThere, NotAllowed or ReplyTaken."""
        _check(shortcut, text)
        row = await self._mine(session, seat, reply_id)
        before = row.text
        await self._write(session, row, seat, shortcut, text)
        return row, before

    async def retire(self, session: AsyncSession, seat: Seat, reply_id: str, *, retired: bool) -> CannedReply:
        """Out of use, or in use again. Raises BadRequest, NotThere or NotAllowed."""
        row = await self._mine(session, seat, reply_id)
        if row.retired_at is not None and not retired:
            _assert_room(await self._locked(session, scope_of(row)))
        row.retired_at = self._clock.now() if retired else None
        row.changed_by, row.changed_at = seat.agent_id, self._clock.now()
        return row

    async def move(self, session: AsyncSession, seat: Seat, reply_id: str, step: int) -> CannedReply:
        """One place up (-1) or down (1) among those of its scope in use. Raises NotThere or NotAllowed."""
        row = await self._mine(session, seat, reply_id)
        rows = [each for each in await self._locked(session, scope_of(row)) if each.retired_at is None]
        if row in rows:
            at = rows.index(row)
            to = min(max(at + step, 0), len(rows) - 1)
            rows.insert(to, rows.pop(at))
        for position, each in enumerate(rows):
            each.position = position
        return row

    async def _mine(self, session: AsyncSession, seat: Seat, reply_id: str) -> CannedReply:
        """One that this agent may change; a colleague's own is not there."""
        row = await session.get(CannedReply, reply_id, with_for_update=True)
        if row is None or row.owner_id not in ("", seat.agent_id):
            raise NotThere("没有这条常用语。")
        _require(scope_of(row), seat)
        return row

    async def _write(
        self, session: AsyncSession, row: CannedReply, seat: Seat, shortcut: str, text: str
    ) -> None:
        row.shortcut, row.text = shortcut, text
        row.changed_by, row.changed_at = seat.agent_id, self._clock.now()
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:
            raise ReplyTaken(f"快捷词“{shortcut}”已经有了，请改那一条或换一个词。") from None

    async def _of(self, session: AsyncSession, scope: Scope) -> list[Reply]:
        rows = await session.scalars(_ordered(scope))
        return [Reply(row.id, row.shortcut, row.text, scope, row.retired_at is not None) for row in rows]

    async def _locked(self, session: AsyncSession, scope: Scope) -> Sequence[CannedReply]:
        return (await session.scalars(_ordered(scope).with_for_update())).all()


def scope_of(row: CannedReply) -> Scope:
    """Whom a row is for."""
    return Scope(row.owner_id, row.team)


def _ordered(scope: Scope) -> Select[CannedReply]:
    retired = CannedReply.retired_at.is_not(None)
    return select(CannedReply).where(*scope.rows()).order_by(retired, CannedReply.position, CannedReply.id)


def _assert_room(rows: Sequence[CannedReply]) -> None:
    """Raises BadRequest when as many as may be are in use."""
    if sum(row.retired_at is None for row in rows) >= KEPT_MAX:
        raise BadRequest(f"在用的常用语最多{KEPT_MAX}条，请先停用一条。")


def _check(shortcut: str, text: str) -> None:
    if not _SHORTCUT.fullmatch(shortcut):
        raise BadRequest("快捷词用1到16个字、字母或数字，不带空格。")
    check_placeholders(text)


def _require(scope: Scope, seat: Seat) -> None:
    if not scope.may_be_kept_by(seat):
        raise NotAllowed("共享的常用语由资深坐席或主管维护，您可以存成自己的。")
