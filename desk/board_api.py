"""REST answers for who leads or audits: the daily board, its export, and what is late."""

from __future__ import annotations

import dataclasses
from typing import Any

from aiohttp import web

from banking_core.clock import bank_date
from bot.surfaces.bodies import json_answer
from desk.api import DeskApi, SeatedHandler
from desk.board import Day, Kept, as_csv, board
from desk.bodies import day_of
from desk.breaks import Break
from desk.clocks import breach_view, breaches
from desk.dependencies import DeskDependencies
from desk.errors import NotAllowed
from desk.limits import Limiters
from desk.logins import Seat


class BoardApi:
    """Handlers of /desk/api/board, board.csv and alerts."""

    def __init__(self, deps: DeskDependencies, api: DeskApi, limiters: Limiters) -> None:
        self._deps, self._api, self._limiters = deps, api, limiters

    def add_routes(self, app: web.Application) -> None:
        """Adds the routes under /api."""
        reports: dict[str, SeatedHandler] = {"/api/board": self.board, "/api/board.csv": self.export}
        for path, handler in reports.items():
            app.router.add_get(path, self._api.seated(handler, self._limiters.reports))
        app.router.add_get("/api/alerts", self._api.seated(self.alerts, self._limiters.reads))

    async def board(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """?day=2026-11-20, else today."""
        return json_answer({"board": day_view(await self._day(request, seat, "board.read"))})

    async def export(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The same as a CSV file; noted."""
        day = await self._day(request, seat, "board.exported")
        name = f"zhanggui-{day.day.isoformat()}.csv"
        return web.Response(
            body=as_csv(day).encode("utf-8"),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    async def alerts(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """What is late now."""
        _require_sight(seat)
        async with self._deps.db.snapshot() as session:
            found = await breaches(session, self._deps.clock.now())
        return json_answer({"items": [breach_view(breach) for breach in found]})

    async def _day(self, request: web.Request, seat: Seat, action: str) -> Day:
        now = self._deps.clock.now()
        wanted = request.query.get("day")
        day = day_of(wanted, now) if wanted is not None else bank_date(now)
        async with self._deps.db.transaction() as session:
            allowed = seat.rights.sees_all
            self._deps.desk.audit(
                session, seat.agent_id, action, after={"day": day.isoformat()}, allowed=allowed
            )
        _require_sight(seat)
        async with self._deps.db.snapshot() as session:
            return await board(session, day, now)


def day_view(day: Day) -> dict[str, Any]:
    """The figures as JSON; a promise kept is {kept, of, percent}."""
    view: dict[str, Any] = {}
    for entry in dataclasses.fields(day):
        value = getattr(day, entry.name)
        if isinstance(value, Kept):
            value = {"kept": value.kept, "of": value.of, "percent": value.percent}
        view[entry.name] = value
    view["day"] = day.day.isoformat()
    view["breaks"] = [_break_view(each) for each in day.breaks]
    view["trend"] = [[then.isoformat(), talked, handed] for then, talked, handed in day.trend]
    return view


def _break_view(each: Break) -> dict[str, Any]:
    return {
        "agent_name": each.agent_name,
        "reason": each.reason,
        "began_at": each.began_at.isoformat(),
        "ended_at": each.ended_at.isoformat() if each.ended_at else None,
        "seconds": each.seconds,
    }


def _require_sight(seat: Seat) -> None:
    if not seat.rights.sees_all:
        raise NotAllowed()
