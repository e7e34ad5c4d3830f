"""Stock telephones on the SIP line, in real time: baresip hears and is heard, sipp plays what it will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path

import pytest

from banking_core.clock import SystemClock
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.call import Call, CallEvent, Ended, EndReason, Held, Key, Played, Sound
from bot.channels.phone.sip import SipLine, SipSettings
from bot.channels.phone.timing import LoopTimer
from bot.running.premises import free_port
from bot.surfaces.rates import Rate
from tests.bot.channels.phone.softphone import baresip, pitches, program, sine

SCENARIOS = Path(__file__).parent / "sipp"
pytestmark = pytest.mark.process


class Desk:
    """Answers calls and keeps what happens."""

    def __init__(self, limits: LineLimits) -> None:
        self.door = Doorkeeper(SystemClock(), limits)
        self.line = SipLine(
            SipSettings("127.0.0.1", 0, (42_000, 42_200)), self.door, self.answer, LoopTimer()
        )
        self.calls: list[Call] = []
        self.events: list[CallEvent] = []
        self._more = asyncio.Event()

    async def answer(self, call: Call) -> None:
        self.calls.append(call)
        call.say(sine(1000, 0.6) + sine(1600, 0.6))
        call.mark("said")
        async for event in call.events():
            self.events.append(event)
            self._more.set()

    async def until(self, kind: type, count: int = 1) -> None:
        while sum(isinstance(event, kind) for event in self.events) < count:
            self._more.clear()
            await self._more.wait()

    async def closed(self) -> None:
        """Every call has been let go of: no place is taken, no port, no dialog."""
        await asyncio.gather(*self.line._tasks)
        assert self.door.calls == 0 and self.line._ports._allocated == set() and self.line._calls == {}

    def of(self, kind: type) -> list[CallEvent]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def desk(limits: LineLimits | None = None) -> AsyncIterator[tuple[Desk, str]]:
    made = Desk(limits or LineLimits())
    port = await made.line.start()
    try:
        async with asyncio.timeout(40):
            yield made, f"sip:95000@127.0.0.1:{port}"
    finally:
        await made.line.stop()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_baresip_hears_us_is_heard_and_hangs_up(codec: str, tmp_path: Path) -> None:
    said = sine(500, 0.8) + sine(700, 0.8) + bytes(16_000 * 8)
    async with desk() as (office, address):
        async with baresip(tmp_path, said=said, codec=codec) as phone:
            await phone.do("dial", address)
            await phone.until("CALL_ESTABLISHED")
            await office.until(Played)
            await office.until(Sound, 90)
            await phone.do("hangup")
            await office.until(Ended)
        assert office.calls[0].info.caller == "13800000004"
        heard = b"".join(event.pcm for event in office.of(Sound) if isinstance(event, Sound))
        assert [hz for hz, _ in groupby(pitches(heard)) if hz in (500, 700)] == [500, 700]
        recorded = pitches(phone.heard())
        assert [hz for hz, _ in groupby(recorded) if hz in (1000, 1600)] == [1000, 1600]
        assert 5 <= recorded.count(1000) <= 7 and 5 <= recorded.count(1600) <= 7
        assert office.events[-1] == Ended(EndReason.CALLER) and office.door.calls == 0


async def test_keys_hold_and_our_hanging_up_reach_each_other_through_baresip(tmp_path: Path) -> None:
    async with desk() as (office, address), baresip(tmp_path, said=bytes(16_000 * 30)) as phone:
        await phone.do("dial", address)
        await phone.until("CALL_ESTABLISHED")
        await office.until(Sound, 5)
        for digit in "5#":
            await phone.do("sndcode", digit)
        await office.until(Key, 2)
        assert office.of(Key) == [Key("5"), Key("#")]
        await phone.do("hold")
        await office.until(Held)
        await phone.do("resume")
        await office.until(Held, 2)
        assert office.of(Held) == [Held(True), Held(False)]
        await office.calls[0].hang_up()
        await phone.until("CALL_CLOSED")


async def sipp(address: str, *options: str) -> str:
    """Plays a scenario against the line; returns what went wrong, "" when every call went as written."""
    target = address.partition("@")[2]
    process = await asyncio.create_subprocess_exec(
        program("sipp"),
        target,
        *("-i", "127.0.0.1", "-p", str(free_port()), "-timeout", "30s", "-timeout_error", "-nostdin"),
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    ended = f"exit {process.returncode}: {said.decode(errors='replace')[-1500:]}"
    return "" if process.returncode == 0 else ended


async def test_sipp_makes_sixty_calls_twelve_at_once_and_each_goes_as_written() -> None:
    free = Rate(1000, 1000.0)
    limits = LineLimits(calls_max=32, calls_caller_max=32, starts=free, starts_caller=free)
    async with desk(limits) as (office, address):
        assert await sipp(address, "-sn", "uac", "-m", "60", "-r", "20", "-l", "12", "-d", "400") == ""
        assert len(office.calls) == 60
        await office.until(Ended, 60)
        assert {event.why for event in office.of(Ended) if isinstance(event, Ended)} == {EndReason.CALLER}
        await office.closed()


@pytest.mark.parametrize("scenario", sorted(SCENARIOS.glob("*.xml")), ids=lambda path: path.stem)
async def test_sipp_plays_the_scenario_to_its_end_and_nothing_of_it_is_left(scenario: Path) -> None:
    free = Rate(1000, 1000.0)
    async with desk(LineLimits(starts=free, starts_caller=free, calls_caller_max=32)) as (office, address):
        assert await sipp(address, "-sf", str(scenario), "-m", "4", "-r", "4", "-l", "4") == ""
        await office.until(Ended, len(office.calls))
        await office.closed()
