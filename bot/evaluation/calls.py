"""Concurrent calls over SIP to a real app process: how soon an answer is heard, and whether the sound has gaps.

Each caller is a customer of their own, logs in once by keys, and then asks for the balance again and again: a turn that
goes through endpointing, recognition, understanding, bank and synthesis.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

import aiohttp
import psutil

from bot.channels.phone.errors import HearingFailed
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.metrics import PARTS
from bot.channels.phone.speaking import EspeakSpeaker
from bot.evaluation.callers import Customer, LogInFailed, Premises
from bot.evaluation.calling import Caller
from bot.evaluation.demo_bank import make_template
from bot.evaluation.services import understanding_service
from bot.evaluation.turns import app_process
from bot.running.memory import settle
from bot.running.premises import free_port
from bot.settings import Settings

SENTENCE: Final = "查余额"
KEYS: Final = "1#"  # the same
QUIET_S: Final = 0.6  # the line has finished speaking
ANSWER_WAIT_S: Final = 15.0
RTP_PORT_FIRST: Final = 43_000
RING_GAP_S: Final = 0.25  # a line takes five new calls a second

Parts = Mapping[str, tuple[float, float]]  # seconds and number of each part so far


@dataclass(frozen=True, slots=True)
class Line:
    """Where an app process answers: its id, the port of its pages and that of its telephone."""

    pid: int
    port: int
    sip_port: int


async def measure_calls(
    settings: Settings, calls: int, seconds: float, say: Callable[[str], None]
) -> dict[str, object]:
    """See `report`. Callers speak where a model hears, else they press keys."""
    with tempfile.TemporaryDirectory(prefix="zhanggui-") as folder:
        say("准备演示银行 …")
        await make_template(Path(folder), datetime.now(UTC))
        async with understanding_service(settings, say) as understander:
            return await measure_with(settings, Path(folder), understander.url, calls, seconds, say)


async def measure_with(
    settings: Settings, folder: Path, nlu_url: str, calls: int, seconds: float, say: Callable[[str], None]
) -> dict[str, object]:
    """As `measure_calls`, on the demo bank in `folder` and with an NLU service that runs."""
    premises = Premises(folder)
    try:
        customers = await premises.enrol(calls)
        port, sip_port = free_port(), free_port()
        assert settings.nlu_token is not None
        extra = {
            "ZHANGGUI_PHONE_LINES": "sip",
            "ZHANGGUI_PHONE_SIP_PORT": str(sip_port),
            "ZHANGGUI_PHONE_CALLS_MAX": str(calls),
            "ZHANGGUI_HEARING_MODEL": settings.hearing_model,
            "ZHANGGUI_HEARING_FREE_SPEECH": str(settings.hearing_free_speech),
        }
        words = await _words(settings)
        token = settings.nlu_token.get_secret_value()
        async with app_process(folder, port, nlu_url, token, extra) as process:
            settle()  # the callers' own pauses would count as the line's
            say(f"{calls} 个电话，{seconds:.0f} 秒，{'开口说' if words else '按键'} …")
            return await _measure(Line(process.pid, port, sip_port), premises, customers, words, seconds, say)
    finally:
        await premises.close()


async def _words(settings: Settings) -> bytes:
    """What callers say; b"" where no model would hear it."""
    try:
        await asyncio.to_thread(load, settings.hearing_model)
    except HearingFailed:
        return b""
    return b"".join([pcm async for pcm in EspeakSpeaker().speak(SENTENCE, 1.0)])


async def _measure(
    line: Line,
    premises: Premises,
    customers: list[Customer],
    words: bytes,
    seconds: float,
    say: Callable[[str], None],
) -> dict[str, object]:
    callers = [Caller(one.phone, RTP_PORT_FIRST + 4 * index) for index, one in enumerate(customers)]
    try:
        # At once: who had to wait for the others in silence would be asked whether they are still there.
        await asyncio.gather(
            *(
                _log_in(caller, customer, premises, line.sip_port, index * RING_GAP_S)
                for index, (caller, customer) in enumerate(zip(callers, customers, strict=True))
            )
        )
        before, app = await _parts(line.port), psutil.Process(line.pid)
        cpu_s, started_s = _cpu_s(app), perf_counter()
        for caller in callers:
            caller.gaps = caller.frames = 0
        results = await asyncio.gather(*(_ask(caller, words, seconds) for caller in callers))
        elapsed_s, used_s = perf_counter() - started_s, _cpu_s(app) - cpu_s
        after = await _parts(line.port)
    finally:
        await asyncio.gather(*(caller.hang_up() for caller in callers))
    waits_ms = [wait_ms for waits in results for wait_ms in waits]
    gaps, frames = sum(caller.gaps for caller in callers), sum(caller.frames for caller in callers)
    say(f"{len(waits_ms)} 轮，{frames} 个语音包")
    return report(len(callers), waits_ms, (before, after), gaps, used_s / elapsed_s)


def report(
    calls: int, waits_ms: list[float], parts: tuple[Parts, Parts], gaps: int, cpu: float
) -> dict[str, object]:
    """calls, first_audio_ms_p50 and _p95 (from the end of what a caller says to the first sound; None without a turn),
    parts (mean of each, ms), gaps (late or missing packets), cpu (cores of the app process).
    """
    sorted_ms = sorted(waits_ms)
    p50, p95 = None, None
    if sorted_ms:
        p50 = round(statistics.median(sorted_ms))
        p95 = round(sorted_ms[min(len(sorted_ms) - 1, int(0.95 * len(sorted_ms)))])
    return {
        "calls": calls,
        "first_audio_ms_p50": p50,
        "first_audio_ms_p95": p95,
        "parts": {part: _mean_ms(*parts, part) for part in PARTS},
        "gaps": gaps,
        "cpu": round(cpu, 2),
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _log_in(
    caller: Caller, customer: Customer, premises: Premises, sip_port: int, after_s: float
) -> None:
    """Calls and proves by keys who calls, not waiting for the end of any prompt. Raises LogInFailed."""
    await asyncio.sleep(after_s)
    try:
        await caller.dial(sip_port)
    except (RuntimeError, TimeoutError) as error:  # what the library raises
        raise LogInFailed(f"电话没有接通（{error}）") from error
    await caller.next_loud_s(ANSWER_WAIT_S)
    await _keyed(caller, KEYS)
    code = await premises.code_for(customer)
    await caller.next_loud_s(ANSWER_WAIT_S)
    await _keyed(caller, code)
    await caller.next_loud_s(ANSWER_WAIT_S)
    await _keyed(caller, customer.id_tail)
    await premises.logged_in(customer)
    # The balance that was asked for belongs to no turn that is measured.
    await caller.next_loud_s(ANSWER_WAIT_S)


async def _ask(caller: Caller, words: bytes, seconds: float) -> list[float]:
    """Asks again and again once the answer has been heard to its end. Milliseconds to the first sound of each."""
    waits_ms: list[float] = []
    until_s = perf_counter() + seconds
    while perf_counter() < until_s:
        await _quiet(caller)
        asked_s = await caller.say(words) if words else await _keyed(caller, KEYS)
        waits_ms.append((await caller.next_loud_s(ANSWER_WAIT_S) - asked_s) * 1000)
    return waits_ms


async def _keyed(caller: Caller, digits: str) -> float:
    at_s = 0.0
    for digit in digits:
        at_s = await caller.key(digit)
    return at_s


async def _quiet(caller: Caller) -> None:
    """Until the line has said something and stopped."""
    while caller.loud_s < 0 or perf_counter() - caller.loud_s < QUIET_S:  # noqa: ASYNC110, sound has no end event
        await asyncio.sleep(0.02)


async def _parts(port: int) -> Parts:
    """From the metrics page."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        lines = (await response.text()).splitlines()
    found = {part: [0.0, 0.0] for part in PARTS}
    for line in lines:
        for part in PARTS:
            for place, what in enumerate(("sum", "count")):
                if line.startswith(f'zhanggui_call_part_seconds_{what}{{part="{part}"}}'):
                    found[part][place] = float(line.split()[-1])
    return {part: (sums, counts) for part, (sums, counts) in found.items()}


def _mean_ms(before: Parts, after: Parts, part: str) -> float:
    count = after[part][1] - before[part][1]
    return round((after[part][0] - before[part][0]) / count * 1000, 1) if count else 0.0
