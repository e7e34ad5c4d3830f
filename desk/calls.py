"""The sound of a customer's telephone call in the agent's browser, over a web socket of its own.

Binary frames both ways: PCM, 8 kHz, signed 16-bit little-endian, mono; ours last 20 ms. A seat that is locked
meanwhile keeps its call. The socket ends with the call, when the conversation leaves the agent, or when another
page of the agent's takes the sound. Words that the caller hears are a reply like written ones.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

import numpy as np
from aiohttp import WSMsgType, web
from sqlalchemy.exc import SQLAlchemyError

from banking_core.audit import acting
from bot.surfaces.errors import BadRequest, SurfaceError
from bot.surfaces.origin import require_same_origin, security_headers
from desk.api import DeskApi
from desk.bodies import conversation_id_of
from desk.custody import Custody
from desk.dependencies import DeskDependencies
from desk.errors import NoCall, NoSession, NotYours, SeatLocked
from desk.live import CLOSE_NO_SESSION, new_socket, refuse
from desk.logins import Seat
from desk.ports import CallSound

log = logging.getLogger(__name__)

CLOSE_NOT_YOURS = 4403
CLOSE_NO_CALL = 4404
SAMPLE_BYTES = 2
LOUD: Final = 400.0  # a sample's mean size; rooms stay below, and nobody speaks as softly into a headset
WORD_SAMPLES: Final = 2400  # so much of it is a word, and no click
ASIDE_S: Final = 2.0  # how often is looked whether a reply is owed


class Words:
    """Whether the agent has said something since last asked; fed what the microphone gives."""

    def __init__(self) -> None:
        self._loud_samples, self.said = 0, asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        """A piece of any length, 8 kHz, 16 bits."""
        wave = np.frombuffer(pcm, "<i2").astype(np.float32)
        if wave.size and float(np.abs(wave).mean()) >= LOUD:
            self._loud_samples += wave.size
        if self._loud_samples >= WORD_SAMPLES:
            self._loud_samples = 0
            self.said.set()


class CallDoor:
    """Lets an agent's browser into a call of a conversation it holds."""

    def __init__(self, deps: DeskDependencies, api: DeskApi, custody: Custody) -> None:
        self._deps, self._api, self._custody = deps, api, custody

    async def open(self, request: web.Request) -> web.StreamResponse:
        """The socket of GET /api/conversations/{id}/sound; why it does not open is told on the socket."""
        require_same_origin(request, self._deps.trust)
        conversation_id = conversation_id_of(request)
        seat = await self._api.seat_of(request)
        socket = new_socket()
        if not socket.can_prepare(request):
            if seat is None:
                raise NoSession()
            raise BadRequest("这个地址只供坐席页面连接。")
        socket.headers.update(security_headers(request, self._deps.trust, microphone=True))
        await socket.prepare(request)
        if seat is None or seat.locked:
            await refuse(socket, SeatLocked() if seat else NoSession(), CLOSE_NO_SESSION)
            return socket
        with acting(self._api.who(request, seat.agent_id)):
            try:
                await self._custody.require(seat, conversation_id, "listened")
                await self._talk(socket, seat, conversation_id)
            except NotYours as error:
                await refuse(socket, error, CLOSE_NOT_YOURS)
            except SurfaceError as error:
                await refuse(socket, error, CLOSE_NO_CALL)
        with suppress(ConnectionError):
            await socket.close()
        return socket

    async def _talk(self, socket: web.WebSocketResponse, seat: Seat, conversation_id: str) -> None:
        with self._deps.calls.join(conversation_id) as sound:
            if sound is None:
                raise NoCall()
            words = Words()
            work = [
                asyncio.create_task(self._bring(socket, sound)),
                asyncio.create_task(self._while_held(seat, conversation_id)),
                asyncio.create_task(self._reply(seat, conversation_id, words)),
            ]
            reading = asyncio.create_task(_read(socket, sound, words))
            try:
                await asyncio.wait([*work, reading], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*work, reading):
                    task.cancel()
                await asyncio.gather(*work, reading, return_exceptions=True)

    async def _bring(self, socket: web.WebSocketResponse, sound: CallSound) -> None:
        """The caller to the browser, until the sound ends."""
        with suppress(ConnectionError):
            async for pcm in sound.listen():
                await socket.send_bytes(pcm)

    async def _reply(self, seat: Seat, conversation_id: str, words: Words) -> None:
        """What the agent says ends the caller's wait."""
        while await words.said.wait():
            words.said.clear()
            try:
                async with self._deps.db.transaction() as session:
                    owed = await self._deps.desk.cases.answered_aloud(session, conversation_id, seat.agent_id)
                if owed:
                    self._deps.hub.events.publish_queue()
            except SQLAlchemyError:  # a figure of the day is not worth a call
                log.warning("spoken_reply_not_noted", exc_info=True)
            await asyncio.sleep(ASIDE_S)

    async def _while_held(self, seat: Seat, conversation_id: str) -> None:
        """Returns once the agent has let go of the conversation, in whichever process."""
        async with self._deps.hub.events.subscribe_all() as events:
            while await self._custody.holds(seat, conversation_id):
                with suppress(TimeoutError):  # what another process does is found by looking
                    await asyncio.wait_for(events.get(), self._deps.beat_s)


async def _read(socket: web.WebSocketResponse, sound: CallSound, words: Words) -> None:
    async for message in socket:
        if message.type is WSMsgType.BINARY and len(message.data) % SAMPLE_BYTES == 0:
            sound.say(message.data)
            words.feed(message.data)
