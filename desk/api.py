"""The desk's REST answers. Who asks, whether they may, and what is noted about it; the hub does the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from banking_core.audit import Who, acting
from banking_core.clock import BANK_ZONE
from bot.surfaces.bodies import is_storable, json_answer, read_object
from bot.surfaces.errors import BadRequest, TooFast
from bot.surfaces.origin import client_address
from bot.surfaces.rates import TokenBuckets
from desk.bodies import after_seq_of, client_id_of, conversation_id_of, text_of
from desk.custody import Custody
from desk.dependencies import DeskDependencies
from desk.errors import LoginLocked, LoginRefused, NoSession, NotThere, ReadOnly, SeatLocked
from desk.limits import Limiters
from desk.live import LiveSeats
from desk.logins import PASSWORD_CHARS_MAX, LoginOutcome, Seat
from desk.presences import BREAK_DEFAULT, is_break_reason, is_presence_state
from desk.snapshots import case_snapshot, held_snapshot, queue_snapshot
from desk.views import message_view, seat_view, ticket_view

COOKIE_NAME = "zg_desk"
COOKIE_PATH = "/desk"
OWN_SEAT = ("/desk/api/active", "/desk/api/lock")  # of who only looks, too
SeatedHandler = Callable[[web.Request, Seat], Awaitable[web.StreamResponse]]


class DeskApi:
    """Handlers of /desk/api."""

    def __init__(self, deps: DeskDependencies, limiters: Limiters, custody: Custody, live: LiveSeats) -> None:
        self._deps, self._limiters, self._custody, self._live = deps, limiters, custody, live

    def add_routes(self, app: web.Application) -> None:
        """Adds every route under /api but the socket's."""
        one = "/api/conversations/{conversation_id}"
        gets: dict[str, SeatedHandler] = {
            "/api/me": self.me,
            "/api/queue": self.queue,
            "/api/mine": self.mine,
            "/api/tickets": self.tickets,
            one: self.conversation,
            f"{one}/pictures/{{key}}": self.picture,
        }
        posts: dict[str, SeatedHandler] = {
            "/api/presence": self.presence,
            "/api/active": self.active,
            "/api/lock": self.lock,
            f"{one}/claim": self.claim,
            f"{one}/pass": self.pass_by,
            f"{one}/say": self.say,
            f"{one}/typing": self.typing,
            f"{one}/hand-back": self.hand_back,
            f"{one}/close": self.close,
            "/api/tickets/{number}/finish": self.ticket_finish,
            "/api/tickets/{number}/phone": self.ticket_phone,
            "/api/tickets/{number}/put-back": self.ticket_put_back,
        }
        for path, handler in gets.items():
            app.router.add_get(path, self.seated(handler, self._limiters.reads))
        for path, handler in posts.items():
            app.router.add_post(path, self.seated(handler, self._limiters.writes))
        app.router.add_post("/api/login", self.login)
        app.router.add_post("/api/logout", self.logout)
        app.router.add_post("/api/unlock", self.unlock)

    async def seat_of(self, request: web.Request) -> Seat | None:
        """The agent behind the request's cookie."""
        token = request.cookies.get(COOKIE_NAME, "")
        async with self._deps.db.snapshot() as session:
            return await self._deps.desk.seat(session, token)

    async def login(self, request: web.Request) -> web.StreamResponse:
        """User name and password; the cookie is always a new one, and the agent's older sessions end."""
        wait_s = self._limiters.logins.attempt(client_address(request, self._deps.trust))
        if wait_s > 0:
            raise TooFast("登录操作太频繁了，请稍等一会儿再试。", retry_after_s=wait_s)
        body = await read_object(request)
        username = text_of(body, "username", chars_max=64, required_text="请输入用户名。")
        password = _password_of(body)
        with acting(self.who(request, "")):
            outcome = await self._deps.desk.login(self._deps.db, username, password)
        seat = _require_ok(outcome)
        await self._live.close_agent(seat.agent_id, keep_session=seat.session_id)
        self._live.refresh_all()
        response = await self._describe(seat)
        response.set_cookie(
            COOKIE_NAME,
            outcome.token,
            path=COOKIE_PATH,
            max_age=int(self._deps.desk.rules.session_ttl_h * 3600),
            httponly=True,
            samesite="Strict",
            secure=self._deps.trust.secure,
        )
        return response

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """Ends the session; customers still held go back to the queue. Logging out twice is fine."""
        seat = await self.seat_of(request)
        released = 0
        if seat is not None:
            with acting(self.who(request, seat.agent_id)):
                async with self._deps.db.transaction() as session:
                    await self._deps.desk.logout(session, seat)
                released = await self._custody.release_all(seat.agent_id)
            await self._live.close_agent(seat.agent_id)
            self._live.refresh_all()
        response = json_answer({"released": released})
        response.del_cookie(
            COOKIE_NAME, path=COOKIE_PATH, httponly=True, samesite="Strict", secure=self._deps.trust.secure
        )
        return response

    async def active(self, _request: web.Request, _seat: Seat) -> web.StreamResponse:
        """The agent reads, types or clicks: what every POST says, said by itself."""
        return json_answer({})

    async def lock(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """The agent leaves the desk for a moment."""
        async with self._deps.db.transaction() as session:
            await self._deps.desk.lock(session, seat)
        self._live.refresh_all()
        return json_answer({})

    async def unlock(self, request: web.Request) -> web.StreamResponse:
        """The password of whoever sits here; everything goes on where it was."""
        seat = await self.seat_of(request)
        if seat is None:
            raise NoSession()
        wait_s = self._limiters.logins.attempt(client_address(request, self._deps.trust))
        if wait_s > 0:
            raise TooFast("操作太频繁了，请稍等一会儿再试。", retry_after_s=wait_s)
        password = _password_of(await read_object(request))
        with acting(self.who(request, seat.agent_id)):
            outcome = await self._deps.desk.unlock(self._deps.db, seat, password)
        self._live.refresh_all()
        return await self._describe(_require_ok(outcome, "密码不对"))

    async def me(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """Who sits here."""
        return await self._describe(seat)

    async def picture(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """A picture of the customer's, for the agent who has them. Noted like every look."""
        conversation_id = conversation_id_of(request)
        async with self._custody.look(seat, conversation_id, "picture_seen") as look:
            key = request.match_info["key"]
            found = await self._deps.pictures.picture(look.session, conversation_id, key)
        if found is None:
            raise NotThere()
        content, kind = found
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store"}
        return web.Response(body=content, content_type=kind, headers=headers)

    async def presence(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """on_duty, break (with a reason: rest, meal, training, meeting, work) or off."""
        body = await read_object(request)
        state = body.get("state")
        if not is_presence_state(state):
            raise BadRequest()
        reason = body.get("reason", BREAK_DEFAULT)
        if not is_break_reason(reason):
            raise BadRequest()
        async with self._deps.db.transaction() as session:
            await self._deps.desk.set_presence(session, seat.agent_id, state, reason)
        self._live.refresh_all()
        return await self._describe(seat)

    async def queue(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """Everybody waiting."""
        queue = await queue_snapshot(self._deps, seat.agent_id)
        await self._custody.note_queue(seat, [line["conversation_id"] for line in queue["items"]])
        return json_answer(queue)

    async def mine(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """The conversations this agent holds."""
        return json_answer({"items": await held_snapshot(self._deps, seat)})

    async def claim(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Takes a waiting customer."""
        conversation_id = conversation_id_of(request)
        await self._custody.claim(seat, conversation_id)
        return json_answer({"conversation_id": conversation_id})

    async def pass_by(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Lets an offer go by: the next agent gets it at once."""
        conversation_id = conversation_id_of(request)
        async with self._deps.db.transaction() as session:
            passed = await self._deps.desk.routing.pass_by(session, conversation_id, seat.agent_id)
        self._live.refresh_all()
        return json_answer({"passed": passed})

    async def conversation(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The transcript and the facts, to the agent who holds the conversation; later only what is new."""
        conversation_id, after_seq = conversation_id_of(request), after_seq_of(request)
        action = "read" if after_seq == 0 else "read_on"
        async with self._custody.look(seat, conversation_id, action) as look:
            case = await case_snapshot(self._deps, look, after_seq)
        return json_answer(case)

    async def say(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Says something to the customer, once per client_id."""
        conversation_id, body = conversation_id_of(request), await read_object(request)
        client_id = client_id_of(body)
        limit = self._deps.limits.text_chars_max
        text = text_of(body, "text", chars_max=limit, required_text="还没有输入内容。")
        message = await self._deps.hub.agent_say(conversation_id, seat.agent_id, text, client_id)
        return json_answer({"message": message_view(message)})

    async def typing(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Lets the customer see that somebody writes."""
        conversation_id = conversation_id_of(request)
        if await self._custody.holds(seat, conversation_id):
            self._deps.hub.typing(conversation_id, "agent")
        return json_answer({})

    async def hand_back(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Gives the conversation back to the assistant: a note for the customer, a summary for the next colleague."""
        conversation_id, body = conversation_id_of(request), await read_object(request)
        note = text_of(body, "note", chars_max=self._deps.limits.note_chars_max)
        summary = text_of(body, "summary", chars_max=self._deps.limits.text_chars_max)
        await self._deps.hub.hand_back(conversation_id, seat.agent_id, note, summary)
        return json_answer({"conversation_id": conversation_id})

    async def close(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Ends the conversation, with a code for what it was about."""
        conversation_id, body = conversation_id_of(request), await read_object(request)
        wrap_up = body.get("wrap_up")
        if not isinstance(wrap_up, str) or wrap_up not in self._deps.desk.wording.wrap_ups:
            raise BadRequest("请先选择这次服务的结果。")
        await self._deps.hub.close(conversation_id, seat.agent_id, wrap_up)
        return json_answer({"conversation_id": conversation_id})

    async def tickets(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Call-backs owed, or with ?status=done those finished."""
        status = request.query.get("status", "open")
        if status not in ("open", "done"):
            raise BadRequest()
        async with self._deps.db.transaction() as session:
            tickets = await self._deps.desk.list_tickets(session, seat.agent_id, status)
        await self._custody.note_tickets(seat, tickets)
        return json_answer({"items": [ticket_view(ticket, seat.agent_id) for ticket in tickets]})

    async def ticket_finish(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Closes a ticket with what was done, and perhaps with whom the agent had on the phone (`is_owner`)."""
        body = await read_object(request)
        is_owner = body.get("is_owner")
        if is_owner is not None and not isinstance(is_owner, bool):
            raise BadRequest()
        answer = text_of(
            body, "note", chars_max=self._deps.limits.text_chars_max, required_text="请写一句处理结果。"
        )
        async with self._deps.db.transaction() as session:
            ticket = await self._deps.desk.finish_ticket(
                session, request.match_info["number"], seat.agent_id, answer, is_owner
            )
        self._live.refresh_all()
        return json_answer({"ticket": ticket_view(ticket, seat.agent_id)})

    async def ticket_phone(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The ticket is this agent's from now on, with the whole number to call; audited."""
        async with self._deps.db.transaction() as session:
            ticket = await self._deps.desk.take_ticket(session, request.match_info["number"], seat.agent_id)
        self._live.refresh_all()
        return json_answer({"phone": ticket.phone, "ticket": ticket_view(ticket, seat.agent_id)})

    async def ticket_put_back(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The ticket is anybody's again."""
        async with self._deps.db.transaction() as session:
            number = request.match_info["number"]
            ticket = await self._deps.desk.put_ticket_back(session, number, seat.agent_id)
        self._live.refresh_all()
        return json_answer({"ticket": ticket_view(ticket, seat.agent_id)})

    def seated(
        self, handler: SeatedHandler, limiter: TokenBuckets
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler for logged-in agents within their rate limit; who only looks may only GET."""

        async def seated(request: web.Request) -> web.StreamResponse:
            seat = await self.seat_of(request)
            if seat is None:
                raise NoSession()
            if seat.locked:
                raise SeatLocked(username=seat.username, display_name=seat.display_name)
            if request.method != "GET" and not seat.rights.acts and request.path not in OWN_SEAT:
                raise ReadOnly()
            wait_s = limiter.attempt(seat.agent_id)
            if wait_s > 0:
                raise TooFast(retry_after_s=wait_s)
            if request.method != "GET" and seat.idle_s >= self._deps.desk.rules.input_s:
                await self._used(seat)
            with acting(self.who(request, seat.agent_id)):
                return await handler(request, seat)

        return seated

    async def _used(self, seat: Seat) -> None:
        async with self._deps.db.transaction() as session:
            await self._deps.desk.used(session, seat)

    def who(self, request: web.Request, agent_id: str) -> Who:
        """The agent for the audit trail, and from where."""
        return Who("agent", agent_id, channel="desk", address=client_address(request, self._deps.trust))

    async def _describe(self, seat: Seat) -> web.Response:
        async with self._deps.db.snapshot() as session:
            presence = await self._deps.desk.presence_of(session, seat.agent_id)
        limits = {
            "text_chars_max": self._deps.limits.text_chars_max,
            "note_chars_max": self._deps.limits.note_chars_max,
        }
        wrap_ups = [{"code": code, "text": text} for code, text in self._deps.desk.wording.wrap_ups.items()]
        idle_lock_s = self._deps.desk.rules.idle_lock_s
        known = {"limits": limits, "wrap_ups": wrap_ups, "idle_lock_s": idle_lock_s}
        return json_answer({"agent": seat_view(seat, presence, self._deps.desk.matters.rules)} | known)


def _password_of(body: dict[str, Any]) -> str:
    password = body.get("password")
    if not isinstance(password, str) or not 0 < len(password) <= PASSWORD_CHARS_MAX:
        raise BadRequest("请输入密码。")
    if not is_storable(password):
        raise BadRequest()
    return password


def _require_ok(outcome: LoginOutcome, wrong: str = "用户名或密码不对") -> Seat:
    """The seat of a log-in that went well; raises LoginRefused or LoginLocked."""
    if outcome.kind == "locked":
        raise LoginLocked(_locked_text(outcome.locked_until))
    if outcome.seat is None:
        text = f"{wrong}，还可以试{outcome.tries_left}次。"
        raise LoginRefused(text, tries_left=outcome.tries_left)
    return outcome.seat


def _locked_text(until: datetime | None) -> str | None:
    if until is None:
        return None
    at = until.astimezone(BANK_ZONE).strftime("%H:%M")
    return f"密码错误次数太多，这个账号锁定到{at}，请到时再试或联系主管。"
