"""Keeps an account registered at a carrier or an exchange, so that its calls come here. Digest as it is asked for.

The library (0.7.1) refreshes what was granted; it does not send again what got lost, nor begin again after a failure.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiosipua.auth import SipDigestAuth
from aiosipua.headers import parse_uri
from aiosipua.registration import Registration
from aiosipua.uac import SipUAC

from bot.channels.phone.timing import Timer

log = logging.getLogger(__name__)

EXPIRES_S: Final = 300
ANSWER_WAIT_S: Final = 4.0
AGAIN_S: Final = (5.0, 15.0, 30.0, 60.0, 300.0)  # after the first failure, the second, ...


@dataclass(frozen=True)
class TrunkSettings:
    """`account` is written sip:user@host or sip:user@host:port."""

    account: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"TrunkSettings({self.account})"


class Trunk:
    """One registration, for as long as `run` runs."""

    def __init__(self, settings: TrunkSettings, uac: SipUAC, timer: Timer) -> None:
        self._settings, self._uac, self._timer = settings, uac, timer
        self._news: asyncio.Queue[bool] = asyncio.Queue()
        self.registered = False

    async def run(self) -> None:
        """Registers, and again whenever the registration is lost; takes it back when it is cancelled."""
        failures = 0
        while True:
            registration = await self._begin()
            try:
                while registration is not None and await self._outcome():
                    failures, self.registered = 0, True
            except asyncio.CancelledError:
                self._take_back(registration)
                raise
            self.registered = False
            if registration is not None:
                registration._cancel_timers()
                self._uac._registrations.pop(registration.call_id, None)
            pause_s = AGAIN_S[min(failures, len(AGAIN_S) - 1)]
            failures += 1
            log.error("not registered at the trunk, again in %.0f s", pause_s)
            await self._timer.wait_until(self._timer.now_s() + pause_s)

    async def _begin(self) -> Registration | None:
        """A first REGISTER, or None when the registrar's name leads nowhere."""
        uri = parse_uri(self._settings.account)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                uri.host, uri.port or 5060, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
        except OSError:
            return None
        host, port = found[0][4][:2]
        account = f"sip:{uri.user}@{uri.host}"
        registration = Registration(
            self._uac,
            account,
            (str(host), int(port)),
            expires=EXPIRES_S,
            auth=SipDigestAuth(uri.user or "", self._settings.password),
            user_agent="Zhanggui",
        )
        self._news = asyncio.Queue()
        registration.on_registered = lambda _: self._news.put_nowait(True)
        registration.on_failed = lambda _registration, _status, _reason: self._news.put_nowait(False)
        registration.on_expired = lambda _: self._news.put_nowait(False)
        registration.register()
        return registration

    async def _outcome(self) -> bool:
        """What became of the REGISTER sent last. A first one without an answer has failed."""
        if self.registered:
            return await self._news.get()
        answer = asyncio.create_task(self._news.get())
        alarm = asyncio.create_task(self._alarm())
        try:
            await asyncio.wait((answer, alarm), return_when=asyncio.FIRST_COMPLETED)
            return answer.done() and answer.result()
        finally:
            answer.cancel()
            alarm.cancel()

    async def _alarm(self) -> None:
        await self._timer.wait_until(self._timer.now_s() + ANSWER_WAIT_S)

    def _take_back(self, registration: Registration | None) -> None:
        """Not waited for: what the registrar does not hear, or wants signed anew, it forgets in five minutes."""
        if registration is not None and self.registered:
            self.registered = False
            with suppress(RuntimeError, OSError):
                registration.unregister()
