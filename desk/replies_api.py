"""REST answers about canned replies: those ready for an agent, and those they keep for themself, a team or all."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from bot.surfaces.bodies import json_answer, read_object
from bot.surfaces.errors import BadRequest
from desk.api import DeskApi, SeatedHandler
from desk.bodies import text_of
from desk.canned import Scope, scope_of
from desk.dependencies import DeskDependencies
from desk.limits import Limiters
from desk.logins import Seat
from desk.models import CannedReply
from desk.placeholders import PLACEHOLDERS
from desk.views import canned_view, kept_reply_view

SHORTCUT_CHARS_MAX = 16
SCOPE_CHARS_MAX = 40


class RepliesApi:
    """Handlers of /desk/api/replies."""

    def __init__(self, deps: DeskDependencies, api: DeskApi, limiters: Limiters) -> None:
        self._deps, self._api, self._limiters = deps, api, limiters
        self._replies = deps.desk.replies

    def add_routes(self, app: web.Application) -> None:
        """Adds the routes under /api."""
        one = "/api/replies/{reply_id}"
        gets: dict[str, SeatedHandler] = {"/api/replies": self.ready, "/api/replies/kept": self.kept}
        posts: dict[str, SeatedHandler] = {
            "/api/replies": self.add,
            one: self.change,
            f"{one}/retire": self.retire,
            f"{one}/restore": self.restore,
            f"{one}/move": self.move,
        }
        for path, handler in gets.items():
            app.router.add_get(path, self._api.seated(handler, self._limiters.reads))
        for path, handler in posts.items():
            app.router.add_post(path, self._api.seated(handler, self._limiters.writes))

    async def ready(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """Replies ready for this agent."""
        async with self._deps.db.snapshot() as session:
            listed = await self._replies.listed(session, seat)
        return json_answer({"items": [canned_view(reply, seat) for reply in listed]})

    async def kept(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """Replies this agent may change, for whom they may keep some, and what may stand in braces."""
        async with self._deps.db.snapshot() as session:
            return json_answer(await self._kept(session, seat))

    async def _kept(self, session: AsyncSession, seat: Seat) -> dict[str, Any]:
        return {
            "items": [kept_reply_view(reply) for reply in await self._replies.kept(session, seat)],
            "scopes": [[scope.code, words] for scope, words in await self._replies.scopes(session, seat)],
            "placeholders": [[f"{{{name}}}", words] for name, words in PLACEHOLDERS.items()],
        }

    async def add(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """A new one: {scope, shortcut, text}."""
        body = await read_object(request)
        scope = Scope.of(text_of(body, "scope", chars_max=SCOPE_CHARS_MAX), seat)
        shortcut, text = self._words(body)
        async with self._deps.db.transaction() as session:
            row = await self._replies.add(session, seat, scope, shortcut, text)
            self._note(session, seat, "reply_added", row, after={"text": text})
            return json_answer({"id": row.id} | await self._kept(session, seat))

    async def change(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Another shortcut or text."""
        shortcut, text = self._words(await read_object(request))
        async with self._deps.db.transaction() as session:
            row, before = await self._replies.change(
                session, seat, request.match_info["reply_id"], shortcut, text
            )
            self._note(session, seat, "reply_changed", row, before={"text": before}, after={"text": text})
            return json_answer({"id": row.id} | await self._kept(session, seat))

    async def retire(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Out of use; it stays in the list of whoever keeps it."""
        return await self._retire(request, seat, retired=True)

    async def restore(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """In use again."""
        return await self._retire(request, seat, retired=False)

    async def _retire(self, request: web.Request, seat: Seat, *, retired: bool) -> web.StreamResponse:
        async with self._deps.db.transaction() as session:
            row = await self._replies.retire(session, seat, request.match_info["reply_id"], retired=retired)
            self._note(session, seat, "reply_retired" if retired else "reply_restored", row)
            await session.flush()
            return json_answer({"id": row.id} | await self._kept(session, seat))

    async def move(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """One place up or down: {step: -1 or 1}."""
        step = (await read_object(request)).get("step")
        if step not in (-1, 1) or isinstance(step, bool):
            raise BadRequest()
        async with self._deps.db.transaction() as session:
            row = await self._replies.move(session, seat, request.match_info["reply_id"], step)
            self._note(session, seat, "reply_moved", row, after={"position": row.position + 1})
            await session.flush()
            return json_answer({"id": row.id} | await self._kept(session, seat))

    def _words(self, body: dict[str, Any]) -> tuple[str, str]:
        shortcut = text_of(body, "shortcut", chars_max=SHORTCUT_CHARS_MAX, required_text="请写一个快捷词。")
        limit = self._deps.limits.text_chars_max
        return shortcut, text_of(body, "text", chars_max=limit, required_text="还没有输入内容。")

    def _note(
        self,
        session: AsyncSession,
        seat: Seat,
        act: str,
        row: CannedReply,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        said = {"scope": scope_of(row).code, "shortcut": row.shortcut}
        self._deps.desk.audit(
            session,
            seat.agent_id,
            f"desk.{act}",
            "reply",
            row.id,
            before=before,
            after=said | (after or {}),
        )
