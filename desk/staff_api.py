"""REST answers that help an agent along: card, suggestions, notes, passing on; and for who leads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from bot.surfaces.bodies import json_answer, read_object
from bot.surfaces.errors import BadRequest
from desk.api import DeskApi, SeatedHandler
from desk.bodies import after_seq_of, client_id_of, conversation_id_of, text_of
from desk.cards import REVEALABLE
from desk.custody import Custody
from desk.dependencies import DeskDependencies
from desk.errors import NotAllowed, NotThere
from desk.limits import Limiters
from desk.logins import Seat
from desk.snapshots import case_snapshot, queue_snapshot
from desk.suggestions import last_words, suggested
from desk.views import colleague_view, message_view, served_view


class StaffApi:
    """Further handlers of /desk/api."""

    def __init__(self, deps: DeskDependencies, api: DeskApi, limiters: Limiters, custody: Custody) -> None:
        self._deps, self._api, self._limiters = deps, api, limiters
        self._custody = custody

    def add_routes(self, app: web.Application) -> None:
        """Adds the routes under /api."""
        one = "/api/conversations/{conversation_id}"
        gets: dict[str, SeatedHandler] = {
            f"{one}/card": self.card,
            f"{one}/suggestions": self.suggestions,
            f"{one}/watch": self.watch,
            "/api/colleagues": self.colleagues,
            "/api/floor": self.floor,
        }
        posts: dict[str, SeatedHandler] = {
            f"{one}/unmask": self.unmask,
            f"{one}/note": self.note,
            f"{one}/propose": self.propose,
            f"{one}/vouch": self.vouch,
            f"{one}/transfer": self.transfer,
            f"{one}/whisper": self.whisper,
            f"{one}/take-over": self.take_over,
        }
        for path, handler in gets.items():
            app.router.add_get(path, self._api.seated(handler, self._limiters.reads))
        for path, handler in posts.items():
            app.router.add_post(path, self._api.seated(handler, self._limiters.writes))

    # --- the customer ------------------------------------------------------------------------------------------

    async def card(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Who the customer is to the bank, masked; for the agent who holds the conversation, and noted."""
        async with self._of_customer(request, seat, "card_viewed") as (session, customer_id):
            card = dict(await self._deps.desk.cards.card(session, customer_id))
        return json_answer({"card": card})

    async def unmask(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The whole name or phone number; noted each time."""
        field = (await read_object(request)).get("field")
        if field not in REVEALABLE:
            raise BadRequest()
        async with self._of_customer(request, seat, f"{field}_unmasked") as (session, customer_id):
            value = await self._deps.desk.cards.reveal(session, customer_id, field)
        return json_answer({"field": field, "value": value})

    @asynccontextmanager
    async def _of_customer(
        self, request: web.Request, seat: Seat, action: str
    ) -> AsyncIterator[tuple[AsyncSession, str]]:
        async with self._custody.look(seat, conversation_id_of(request), action, area="desk") as look:
            if look.customer_id is not None:
                yield look.session, look.customer_id
                return
        raise NotThere("客户还没有登录，没有客户资料。")

    # --- helping -----------------------------------------------------------------------------------------------

    async def suggestions(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """What the knowledge base would answer to the customer's last words."""
        conversation_id = conversation_id_of(request)
        async with self._custody.look(seat, conversation_id, "read_on", noted=False) as look:
            said = await last_words(look)
        return json_answer({"items": suggested(self._deps, said)})

    async def propose(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Puts a value for the business half done before the customer, who takes it or not."""
        conversation_id, body = conversation_id_of(request), await read_object(request)
        slot = text_of(body, "slot", chars_max=64, required_text="请选择要填的一栏。")
        text = text_of(
            body, "text", chars_max=self._deps.limits.note_chars_max, required_text="还没有填内容。"
        )
        message = await self._deps.hub.propose(conversation_id, seat.agent_id, slot, text, client_id_of(body))
        return json_answer({"message": message_view(message)})

    async def vouch(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """Who is certified has made sure of the customer: what was held for it may be confirmed, by the customer."""
        conversation_id, body = conversation_id_of(request), await read_object(request)
        grounds = text_of(
            body,
            "note",
            chars_max=self._deps.limits.note_chars_max,
            required_text="请写清楚怎么核实的，例如核对了哪几项。",
        )
        await self._deps.hub.vouch(conversation_id, seat.agent_id, grounds)
        return json_answer({"conversation_id": conversation_id})

    async def note(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """A private note: staff read it, no channel sends it."""
        conversation_id, body = conversation_id_of(request), await read_object(request)
        limit = self._deps.limits.text_chars_max
        text = text_of(body, "text", chars_max=limit, required_text="备注还没有写内容。")
        notes = await self._deps.hub.add_note(conversation_id, seat.agent_id, text)
        return json_answer({"notes": list(notes)})

    # --- passing on --------------------------------------------------------------------------------------------

    async def colleagues(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """Whom one may pass a customer to."""
        async with self._deps.db.snapshot() as session:
            loads = await self._deps.hub.loads()
            listed = await self._deps.desk.colleagues.listed(session, seat.agent_id, loads)
        return json_answer({"items": [colleague_view(colleague) for colleague in listed]})

    async def transfer(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """To a colleague {agent} or a team {team}, with a note for whoever takes over."""
        conversation_id, body = conversation_id_of(request), await read_object(request)
        limit = self._deps.limits.text_chars_max
        note = text_of(body, "note", chars_max=limit, required_text="请给接手的同事写一句说明。")
        agent, team = text_of(body, "agent", chars_max=64), text_of(body, "team", chars_max=32)
        if bool(agent) == bool(team):
            raise BadRequest("请选择一位同事或一个小组。")
        await self._custody.require(seat, conversation_id, "transfer_asked")
        if agent:
            loads = await self._deps.hub.loads()
            async with self._deps.db.snapshot() as session:
                to = await self._deps.desk.colleagues.find(session, seat.agent_id, agent, loads)
            colleague = (to.agent_id, to.display_name)
            await self._deps.hub.pass_on(conversation_id, seat.agent_id, colleague, note)
        else:
            await self._deps.hub.pass_to_team(conversation_id, seat.agent_id, team, note)
        return json_answer({"conversation_id": conversation_id})

    # --- leading -----------------------------------------------------------------------------------------------

    async def floor(self, _request: web.Request, seat: Seat) -> web.StreamResponse:
        """Who serves whom now, and who waits; for those who see all."""
        if not seat.rights.sees_all:
            raise NotAllowed()
        served, queue = await self._deps.hub.served(), await queue_snapshot(self._deps)
        ids = [line.conversation_id for line in served]
        await self._custody.note_queue(seat, [*ids, *(line["conversation_id"] for line in queue["items"])])
        return json_answer({"served": [served_view(line) for line in served], "queue": queue["items"]})

    async def watch(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """A conversation of somebody else's, to look at; noted when it is opened, like every look."""
        conversation_id, after_seq = conversation_id_of(request), after_seq_of(request)
        action = "watched" if after_seq == 0 else "watched_on"
        async with self._custody.watch(seat, conversation_id, action) as look:
            case: dict[str, Any] = await case_snapshot(self._deps, look, after_seq)
        return json_answer(case | {"owner": look.owner, "agent_name": look.agent_name or ""})

    async def whisper(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """A word in the agent's ear; the customer does not hear it."""
        self._require_lead(seat)
        conversation_id, body = conversation_id_of(request), await read_object(request)
        limit = self._deps.limits.text_chars_max
        text = text_of(body, "text", chars_max=limit, required_text="还没有输入内容。")
        notes = await self._deps.hub.whisper(conversation_id, (seat.agent_id, seat.display_name), text)
        return json_answer({"notes": list(notes)})

    async def take_over(self, request: web.Request, seat: Seat) -> web.StreamResponse:
        """The customer is this supervisor's from now on, whoever had them before."""
        self._require_lead(seat)
        conversation_id = conversation_id_of(request)
        await self._deps.hub.take_over(conversation_id, seat.agent_id, seat.display_name)
        return json_answer({"conversation_id": conversation_id})

    @staticmethod
    def _require_lead(seat: Seat) -> None:
        if not seat.rights.leads:
            raise NotAllowed()
