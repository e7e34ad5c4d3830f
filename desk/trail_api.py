"""REST answers about the audit trail: read only, for who leads (what agents did) and who audits (everything)."""

from __future__ import annotations

import re

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import AuditQuery, search
from banking_core.days import day_bounds
from bot.surfaces.bodies import json_answer
from bot.surfaces.errors import BadRequest
from desk.api import DeskApi
from desk.bodies import day_of
from desk.dependencies import DeskDependencies
from desk.errors import NotAllowed, NotThere
from desk.limits import Limiters
from desk.logins import Seat
from desk.trail import AREAS, KIND_TEXT, agent_names, record_view

PAGE = 50
_ID = re.compile(r"[0-9]{1,18}")


class TrailApi:
    """Handler of /desk/api/trail. Nothing here writes but the note that somebody read."""

    def __init__(self, deps: DeskDependencies, api: DeskApi, limiters: Limiters) -> None:
        self._deps, self._api, self._limiters = deps, api, limiters

    def add_routes(self, app: web.Application) -> None:
        """Adds the route under /api."""
        app.router.add_get("/api/trail", self._api.seated(self.trail, self._limiters.reports))

    async def trail(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """?agent=xiaowang&kind=agent&area=complaint&day=2026-11-20&before=1234, each optional; the newest first.

        Who leads reads what agents did; who audits also what customers, the bank's jobs and operators did.
        """
        asked = {name: request.query.get(name, "") for name in ("agent", "kind", "area", "day", "before")}
        async with self._deps.db.transaction() as session:
            noted = {name: value[:32] for name, value in asked.items() if value}
            allowed = seat.rights.sees_all
            self._deps.desk.audit(session, seat.agent_id, "audit.read", after=noted, allowed=allowed)
        if not seat.rights.sees_all:
            raise NotAllowed()
        before = asked["before"]
        if before and not _ID.fullmatch(before):
            raise BadRequest()
        async with self._deps.db.snapshot() as session:
            query = await self._query(session, asked, seat)
            page = await search(session, query, before_id=int(before) if before else None, limit=PAGE)
            names = await agent_names(session)
            crew = await self._deps.desk.colleagues.everybody(session)
        return json_answer(
            {
                "items": [record_view(record, names) for record in page.records],
                "next_before": page.next_before_id,
                "agents": [[colleague.username, colleague.display_name] for colleague in crew],
                "areas": [[code, words] for code, words in AREAS.items()],
                "kinds": [["", "所有人"], *map(list, KIND_TEXT.items())] if seat.rights.audits else [],
            }
        )

    async def _query(self, session: AsyncSession, asked: dict[str, str], seat: Seat) -> AuditQuery:
        kind, area = asked["kind"], asked["area"]
        if area not in AREAS or (kind and kind not in KIND_TEXT):
            raise BadRequest()
        if not seat.rights.audits:
            if kind not in ("", "agent"):
                raise NotAllowed()
            kind = "agent"
        agent_id = None
        if asked["agent"]:
            agent = await self._deps.desk.colleague_named(session, asked["agent"])
            if agent is None:
                raise NotThere("没有这位同事，请刷新后再选。")
            agent_id, kind = agent.id, "agent"
        since = until = None
        if asked["day"]:
            since, until = day_bounds(day_of(asked["day"], self._deps.clock.now()))
        return AuditQuery(actor_id=agent_id, actor_kind=kind or None, action=area, since=since, until=until)
