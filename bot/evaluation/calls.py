"""Concurrent calls over SIP to a real app process: how soon an answer is heard, and whether the sound has gaps."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import aiohttp
import psutil

from bot.channels.phone.errors import HearingFailed
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.metrics import PARTS
from bot.channels.phone.speaking import EspeakSpeaker
from bot.evaluation.calling import Caller
from bot.evaluation.demo_bank import make_template
from bot.evaluation.services import understanding_service
from bot.evaluation.turns import app_process
from bot.running.memory import settle
from bot.running.premises import free_port
from bot.settings import Settings

SENTENCE = "转人工"  # there is none: a turn of the hub without a log-in
KEYS = "0#"  # the same
QUIET_S = 0.6  # the line has finished speaking
ANSWER_WAIT_S = 15.0
RTP_PORT_FIRST = 43_000
NUMBER_FIRST = 13_900_000_000


async def measure_calls(
    settings: Settings, calls: int, seconds: float, say: Callable[[str], None]
) -> dict[str, object]:
    """first_audio_ms_p50 and _p95 (from the end of what a caller says), parts in ms, gaps, cpu. Callers speak where a
    model hears, else they press keys.
    """
    by = await asyncio.to_thread(_by, settings)
    with tempfile.TemporaryDirectory(prefix="zhanggui-") as folder:
        say("准备演示银行 …")
        await make_template(Path(folder), datetime.now(UTC))
        async with understanding_service(settings, say) as understander:
            port, sip_port = free_port(), free_port()
            assert settings.nlu_token is not None
            extra = {
                "ZHANGGUI_PHONE_LINES": "sip",
                "ZHANGGUI_PHONE_SIP_PORT": str(sip_port),
                "ZHANGGUI_PHONE_CALLS_MAX": str(calls),
                "ZHANGGUI_HEARING_MODEL": settings.hearing_model,
                "ZHANGGUI_HEARING_FREE_SPEECH": str(settings.hearing_free_speech),
            }
            token = settings.nlu_token.get_secret_value()
            async with app_process(Path(folder), port, understander.url, token, extra) as process:
                settle()  # the callers' own pauses would count as the line's
                say(f"{calls} 个电话，{seconds:.0f} 秒，{'开口说' if by == 'speech' else '按键'} …")
                return await _measure(process.pid, port, sip_port, calls, seconds, by)


def _by(settings: Settings) -> str:
    try:
        load(settings.hearing_model)
    except HearingFailed:
        return "keys"
    return "speech"


async def _measure(
    pid: int, port: int, sip_port: int, calls: int, seconds: float, by: str
) -> dict[str, object]:
    words = b"".join([pcm async for pcm in EspeakSpeaker().speak(SENTENCE, 1.0)]) if by == "speech" else b""
    before, app = await _parts(port), psutil.Process(pid)
    cpu_s, started_s = _cpu_s(app), perf_counter()
    callers = [Caller(str(NUMBER_FIRST + index), RTP_PORT_FIRST + 4 * index) for index in range(calls)]
    results = await asyncio.gather(
        *(_call(caller, sip_port, words, index, seconds) for index, caller in enumerate(callers))
    )
    elapsed_s, used_s = perf_counter() - started_s, _cpu_s(app) - cpu_s
    after = await _parts(port)
    waits_ms = sorted(wait_ms for waits in results for wait_ms in waits)
    frames = sum(caller.frames for caller in callers)
    return {
        "calls": calls,
        "by": by,
        "turns": len(waits_ms),
        "first_audio_ms_p50": round(statistics.median(waits_ms)) if waits_ms else None,
        "first_audio_ms_p95": round(waits_ms[min(len(waits_ms) - 1, int(0.95 * len(waits_ms)))])
        if waits_ms
        else None,
        "parts": {part: _mean_ms(before, after, part) for part in PARTS},
        "frames": frames,
        "gaps": sum(caller.gaps for caller in callers),
        "cpu": round(used_s / elapsed_s, 2),
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _call(caller: Caller, sip_port: int, words: bytes, index: int, seconds: float) -> list[float]:
    """One call: asks again and again once the answer has been heard to its end. Milliseconds to the first sound."""
    await asyncio.sleep(0.25 * index)  # nobody is let in faster
    await caller.dial(sip_port)
    waits_ms: list[float] = []
    try:
        until_s = perf_counter() + seconds
        while perf_counter() < until_s:
            await _quiet(caller)
            asked_s = await caller.say(words) if words else await _keyed(caller)
            waits_ms.append((await caller.next_loud_s(ANSWER_WAIT_S) - asked_s) * 1000)
    finally:
        await caller.hang_up()
    return waits_ms


async def _keyed(caller: Caller) -> float:
    at_s = 0.0
    for digit in KEYS:
        at_s = await caller.key(digit)
    return at_s


async def _quiet(caller: Caller) -> None:
    """Until the line has said something and stopped."""
    while caller.loud_s < 0 or perf_counter() - caller.loud_s < QUIET_S:  # noqa: ASYNC110, sound has no end event
        await asyncio.sleep(0.02)


async def _parts(port: int) -> dict[str, tuple[float, float]]:
    """Seconds and number of each part so far, from the metrics page."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        lines = (await response.text()).splitlines()
    found = {part: [0.0, 0.0] for part in PARTS}
    for line in lines:
        for part in PARTS:
            for place, what in enumerate(("sum", "count")):
                if line.startswith(f'zhanggui_call_part_seconds_{what}{{part="{part}"}}'):
                    found[part][place] = float(line.split()[-1])
    return {part: (sums, counts) for part, (sums, counts) in found.items()}


def _mean_ms(
    before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]], part: str
) -> float:
    count = after[part][1] - before[part][1]
    return round((after[part][0] - before[part][0]) / count * 1000, 1) if count else 0.0
