"""Full turns per second: real web sockets to a real app process, the real NLU service, a real database on disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import aiohttp
from sqlalchemy import select

from banking_core.clock import SystemClock
from banking_core.customers.models import Customer
from banking_core.identity import LoginDone
from bot.assembly import build_product
from bot.channels.web import COOKIE_NAME
from bot.channels.web.sessions import create_session
from bot.conversation.metrics import PARTS
from bot.evaluation.demo_bank import SECRET, make_template, settings_for
from bot.evaluation.services import understanding_service
from bot.running.premises import free_port
from bot.settings import ROOT, Settings

WARM_UP_TURNS = 3
READY_TIMEOUT_S = 240
CUSTOMERS = 6  # whose conversations are measured
SENTENCES = {
    "account_balance": "查余额",
    "account_list": "我有哪些账户",
    "statement_search": "查上个月的水电费",
    "payee_list": "看看我的收款人",
}


async def measure_turns(
    settings: Settings, skill: str, users: int, seconds: float, say: Callable[[str], None]
) -> dict[str, object]:
    """p50_ms, p95_ms, p99_ms, turns_per_s and the mean of each part in ms. `skill` is one of SENTENCES."""
    sentence = SENTENCES[skill]
    with tempfile.TemporaryDirectory(prefix="zhanggui-") as folder:
        say("准备演示银行 …")
        await make_template(Path(folder), datetime.now(UTC))
        async with understanding_service(settings, say) as understander:
            port = free_port()
            terms = Path(folder) / "terms.yml"  # a few customers come in many browsers
            terms.write_text(f"identity:\n  sessions_max: {users}\n")
            bench_settings = settings_for(Path(folder), port=port, nlu_url=understander.url, terms_path=terms)
            tokens = await logged_in(bench_settings, users)
            nlu_token = settings.nlu_token
            assert nlu_token is not None
            token = nlu_token.get_secret_value()
            async with app_process(Path(folder), port, understander.url, token):
                say(f"{users} 位客户，{seconds:.0f} 秒 …")
                return await _measure(port, tokens, sentence, seconds)


async def logged_in(settings: Settings, users: int) -> list[str]:
    """Logged-in sessions, so that what is measured is the turn and not the log-in."""
    product = build_product(settings, clock=SystemClock())
    tokens = []
    try:
        async with product.database.snapshot() as session:
            everybody = list(await session.scalars(select(Customer)))
        customers = sorted(everybody, key=lambda customer: customer.phone)[:CUSTOMERS]
        for index in range(users):
            customer = customers[index % len(customers)]
            conversation_id = await product.hub.open("web", customer_id=customer.id)
            async with product.database.transaction() as session:
                token, _row = await create_session(
                    session,
                    product.bank.identity.sessions,
                    conversation_id=conversation_id,
                    login=LoginDone(customer.id, None, "测量"),
                )
            tokens.append(token)
    finally:
        await product.close()
    return tokens


@asynccontextmanager
async def app_process(
    folder: Path, port: int, nlu_url: str, nlu_token: str, extra: Mapping[str, str] | None = None
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A started app process on the demo bank in `folder`; `extra` are further settings."""
    environment = os.environ | {
        "ZHANGGUI_DATA_DIR": str(folder),
        "ZHANGGUI_CACHE_DIR": str(ROOT / "var" / "cache"),
        "ZHANGGUI_PORT": str(port),
        "ZHANGGUI_NLU_URL": nlu_url,
        "ZHANGGUI_NLU_TOKEN": nlu_token,
        "ZHANGGUI_OTP_KEY": SECRET.get_secret_value(),
        "ZHANGGUI_MESSAGES_PER_S": "100000",
        "ZHANGGUI_LOG_LEVEL": "ERROR",
        **(extra or {}),
    }
    process = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-m", "bot.cli", "serve"], cwd=ROOT, env=environment
    )
    try:
        await _until_ready(port)
        yield process
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def _until_ready(port: int) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(READY_TIMEOUT_S * 10):
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"http://127.0.0.1:{port}/healthz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise TimeoutError("the server did not become ready")


async def _measure(port: int, tokens: list[str], sentence: str, seconds: float) -> dict[str, object]:
    before = await _parts(port)
    started_s = perf_counter()
    per_user = await asyncio.gather(*(speak(port, token, sentence, seconds) for token in tokens))
    elapsed_s = perf_counter() - started_s
    after = await _parts(port)
    all_ms = sorted(ms for user in per_user for ms in user)
    turns = after["count"] - before["count"] or 1.0
    return {
        "p50_ms": round(statistics.median(all_ms), 2),
        "p95_ms": round(quantile(all_ms, 0.95), 2),
        "p99_ms": round(quantile(all_ms, 0.99), 2),
        "turns_per_s": round(len(all_ms) / elapsed_s, 2),
        "turns": len(all_ms),
        "users": len(tokens),
        "parts": {part: round((after[part] - before[part]) * 1000 / turns, 2) for part in PARTS},
    }


def quantile(rising: list[float], share: float) -> float:
    return rising[min(len(rising) - 1, int(len(rising) * share))]


async def speak(port: int, token: str, sentence: str, seconds: float) -> list[float]:
    """One customer saying the same thing again as soon as it is answered; the first turns warm up."""
    origin = f"http://127.0.0.1:{port}"
    spent_ms: list[float] = []
    headers = {"Origin": origin, "Cookie": f"{COOKIE_NAME}={token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.ws_connect(f"{origin}/chat/ws") as socket:
        await socket.send_json({"type": "hello", "after_seq": 0})
        for _ in range(WARM_UP_TURNS):
            await _turn(socket, sentence)
        until_s = perf_counter() + seconds
        while perf_counter() < until_s:
            spent_ms.append(await _turn(socket, sentence))
    return spent_ms


async def _turn(socket: aiohttp.ClientWebSocketResponse, sentence: str) -> float:
    """Milliseconds from sending to the acknowledgement and the answer, whichever comes last."""
    client_id = uuid.uuid4().hex
    started_s = perf_counter()
    await socket.send_json({"type": "say", "client_id": client_id, "text": sentence})
    acknowledged = answered = False
    while not (acknowledged and answered):
        frame = await socket.receive_json(timeout=30)
        acknowledged = acknowledged or (frame["type"] == "ack" and frame["client_id"] == client_id)
        answered = answered or (frame["type"] == "message" and frame["message"]["sender"] == "bot")
        if frame["type"] == "error":
            raise RuntimeError(frame["code"])
    return (perf_counter() - started_s) * 1000


async def _parts(port: int) -> dict[str, float]:
    """Seconds per part and number of turns so far, from the metrics page."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as response:
        lines = (await response.text()).splitlines()
    found = dict.fromkeys((*PARTS, "count"), 0.0)
    for line in lines:
        for part in PARTS:
            if line.startswith(f'zhanggui_turn_part_seconds_sum{{part="{part}"}}'):
                found[part] = float(line.split()[-1])
        if line.startswith('zhanggui_turn_part_seconds_count{part="parse"}'):
            found["count"] = float(line.split()[-1])
    return found
