"""REST answers about complaints: who looks into which, what they found, what the bank answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.complaints import (
    ENTRY_TEXT,
    OPEN,
    ROUNDS_MAX,
    STATUS_TEXT,
    Complaint,
    ComplaintEntry,
    Complaints,
    Staff,
)
from bot.surfaces.bodies import json_answer, read_object
from bot.surfaces.errors import BadRequest
from desk.api import DeskApi, SeatedHandler
from desk.bodies import text_of
from desk.colleagues import Colleague
from desk.dependencies import DeskDependencies
from desk.errors import NotAllowed, NotThere
from desk.glances import Glances
from desk.limits import Limiters
from desk.live import LiveSeats
from desk.logins import Seat
from desk.views import colleague_view

Act = Callable[[AsyncSession], Awaitable[Complaint]]
WHOSE = ("", "me", "nobody")
ROUND_TEXT = {1: "", 2: "复核"}
STAFF_STATUS_TEXT = STATUS_TEXT | {"answered": "已答复，等客户评价"}


class ComplaintsApi:
    """Handlers of /desk/api/complaints."""

    def __init__(
        self,
        deps: DeskDependencies,
        complaints: Complaints,
        api: DeskApi,
        limiters: Limiters,
        live: LiveSeats,
    ) -> None:
        self._deps, self._complaints = deps, complaints
        self._api, self._limiters, self._live = api, limiters, live
        self._glances = Glances(deps.clock)

    def add_routes(self, app: web.Application) -> None:
        """Adds the routes under /api."""
        one = "/api/complaints/{number}"
        gets: dict[str, SeatedHandler] = {
            "/api/complaints": self.listed,
            one: self.one,
            f"{one}/agents": self.agents,
        }
        posts: dict[str, SeatedHandler] = {
            f"{one}/take": self.take,
            f"{one}/assign": self.assign,
            f"{one}/note": self.note,
            f"{one}/category": self.category,
            f"{one}/answer": self.answer,
        }
        for path, handler in gets.items():
            app.router.add_get(path, self._api.seated(handler, self._limiters.reads))
        for path, handler in posts.items():
            app.router.add_post(path, self._api.seated(handler, self._limiters.writes))

    async def listed(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """?status=open, answered or closed; the words only of whom one looks into, or of all for who sees all.

        &whose=me, nobody or, for who sees all, agent:xiaowang.
        """
        status = request.query.get("status", "open")
        if status not in ("open", "answered", "closed"):
            raise BadRequest()
        async with self._deps.db.transaction() as session:
            whose = await self._whose(session, request.query.get("whose", ""), seat)
            found = await self._complaints.listed(session, status, whose)
            fresh = self._glances.new(seat.agent_id, [row.number for row in found])
            if fresh:  # the list refreshes itself: a line is noted when it is new to its reader
                self._note(session, seat, "complaints.read", "", None, {"numbers": fresh})
            items = [self._view(row, seat) for row in found]
            crew = await self._deps.desk.colleagues.everybody(session) if seat.rights.sees_all else []
        self._glances.noted(seat.agent_id, fresh)
        agents = [[colleague.username, colleague.display_name] for colleague in crew]
        return json_answer({"items": items, "categories": self._categories(), "agents": agents})

    async def _whose(self, session: AsyncSession, wanted: str, seat: Seat) -> str | None:
        """Whose complaints are wanted: an agent's id, "" for nobody's, None for everybody's."""
        if wanted in WHOSE:
            return {"me": seat.agent_id, "nobody": "", "": None}[wanted]
        kind, _, username = wanted.partition(":")
        if kind != "agent":
            raise BadRequest()
        if not seat.rights.sees_all:
            raise NotAllowed()
        agent = await self._deps.desk.agent_named(session, username)
        if agent is None:
            raise NotThere("没有这位同事，请刷新后再选。")
        return agent.id

    async def agents(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Whom a supervisor may give this complaint to, each with what they have to do already."""
        if not seat.rights.leads:
            raise NotAllowed()
        loads = await self._deps.hub.loads()
        async with self._deps.db.transaction() as session:
            row = await self._complaints.get(session, request.match_info["number"])
            crew = await self._deps.desk.colleagues.everybody(session, loads)
            load = await self._complaints.open_by_assignee(session)
            items = [_candidate_view(colleague, row, load.get(colleague.agent_id, 0)) for colleague in crew]
        return json_answer({"items": items})

    async def one(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Words and log of one complaint, to whoever looks into it, may take it, or sees all; each look is noted."""
        async with self._deps.db.transaction() as session:
            row = await self._complaints.get(session, request.match_info["number"])
            allowed = self._may_read(row, seat)
            self._note(session, seat, "complaint.read", row.number, row.customer_id, allowed=allowed)
            log = [] if not allowed else await self._complaints.log_of(session, row)
            view = self._view(row, seat) | {"log": [_entry_view(entry) for entry in log]}
        if not allowed:
            raise NotAllowed("这件投诉由同事处理，不能查看。")
        return json_answer({"complaint": view, "categories": self._categories()})

    async def take(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The agent looks into it from now on."""
        number, staff = request.match_info["number"], Staff(seat.agent_id, seat.display_name)
        return await self._done(seat, lambda session: self._complaints.assign(session, number, staff))

    async def assign(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """A supervisor gives it to a colleague, by user name."""
        if not seat.rights.leads:
            raise NotAllowed()
        number, body = request.match_info["number"], await read_object(request)
        username = text_of(body, "username", chars_max=64, required_text="请选一位同事。")
        by = Staff(seat.agent_id, seat.display_name)

        async def act(session: AsyncSession) -> Complaint:
            agent = await self._deps.desk.agent_named(session, username)
            if agent is None:
                raise NotThere("没有这位同事，或不能处理投诉。")
            return await self._complaints.assign(session, number, Staff(agent.id, agent.display_name), by)

        return await self._done(seat, act)

    async def note(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """A line of the investigation; the customer does not see it."""
        return await self._write(request, seat, "请写一句调查记录。", self._complaints.note)

    async def category(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Another category."""
        return await self._write(request, seat, "请选一个类别。", self._complaints.reclassify)

    async def answer(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The bank's answer: it reaches the customer's conversation and their notices."""
        answered = await self._write(request, seat, "请写给客户的答复。", self._complaints.answer)
        await self._deps.hub.tell_answers()
        return answered

    async def _write(
        self,
        request: web.Request,
        seat: Seat,
        required_text: str,
        act: Callable[[AsyncSession, str, Staff, str], Awaitable[Complaint]],
    ) -> web.StreamResponse:
        number, body = request.match_info["number"], await read_object(request)
        chars_max = self._deps.limits.text_chars_max
        text = text_of(body, "text", chars_max=chars_max, required_text=required_text)
        staff = Staff(seat.agent_id, seat.display_name)
        return await self._done(seat, lambda session: act(session, number, staff, text))

    async def _done(self, seat: Seat, act: Act) -> web.StreamResponse:
        async with self._deps.db.transaction() as session:
            row = await act(session)
            log = await self._complaints.log_of(session, row)
            view = self._view(row, seat) | {"log": [_entry_view(entry) for entry in log]}
        self._live.refresh_all()
        return json_answer({"complaint": view})

    def _may_read(self, row: Complaint, seat: Seat) -> bool:
        return seat.rights.sees_all or row.assignee_id in (None, seat.agent_id)

    def _view(self, row: Complaint, seat: Seat) -> dict[str, Any]:
        now = self._deps.clock.now()
        is_open = row.status in OPEN
        due = row.ack_due_at if row.acked_at is None else row.answer_due_at
        return {
            "number": row.number,
            "category": row.category,
            "category_text": self._complaints.rules.categories[row.category].words
            if row.category in self._complaints.rules.categories
            else row.category,
            "status": row.status,
            "status_text": STAFF_STATUS_TEXT[row.status],
            "round_text": ROUND_TEXT[row.round],
            "assignee": row.assignee_name or "",
            "mine": row.assignee_id == seat.agent_id,
            "content": row.content if self._may_read(row, seat) else "",
            "answer": (row.answer or "") if self._may_read(row, seat) else "",
            "score": row.score,
            "filed_at": row.filed_at.isoformat(),
            "open": is_open,
            "due_at": due.isoformat(),
            "due_text": "受理" if row.acked_at is None else "答复",
            "ack_due_at": row.ack_due_at.isoformat(),
            "acked_at": row.acked_at.isoformat() if row.acked_at else None,
            "answer_due_at": row.answer_due_at.isoformat(),
            "answered_at": row.answered_at.isoformat() if row.answered_at else None,
            "late": is_open and now > due,
        }

    def _categories(self) -> list[list[str]]:
        return [[code, row.words] for code, row in self._complaints.rules.categories.items()]

    def _note(
        self,
        session: AsyncSession,
        seat: Seat,
        action: str,
        number: str,
        customer_id: str | None,
        after: dict[str, Any] | None = None,
        *,
        allowed: bool = True,
    ) -> None:
        self._deps.desk.audit(
            session,
            seat.agent_id,
            action,
            "complaint" if number else "",
            number,
            customer_id=customer_id,
            after=after,
            allowed=allowed,
        )


def _candidate_view(colleague: Colleague, row: Complaint, complaints: int) -> dict[str, Any]:
    """A colleague with their load; who looked into the first round is not given the second."""
    return colleague_view(colleague) | {
        "complaints": complaints,
        "has_it": row.assignee_id == colleague.agent_id,
        "allowed": row.round < ROUNDS_MAX or row.first_assignee_id != colleague.agent_id,
    }


def _entry_view(entry: ComplaintEntry) -> dict[str, str]:
    return {
        "at": entry.at.isoformat(),
        "kind_text": ENTRY_TEXT[entry.kind],
        "by": entry.by_name,
        "text": entry.text,
    }
