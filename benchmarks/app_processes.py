"""One app process or two on one PostgreSQL: `python -m benchmarks.app_processes [--seconds 8] [--rounds 3]`.

Real web sockets, a real understanding service that both share, a durable PostgreSQL of our own. Rounds with all
customers at one process and with half of them at each take turns, so that whatever else the machine does falls on
both; what is reported is the ratio, and the processor time a turn costs in each part, which other work changes less.
With `--write` the figures go to `benchmarks/app_processes.json` and the chart to `docs/charts/processes.svg`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import psutil

from banking_core.clock import ManualClock
from benchmarks.svg import BAD, GOOD, GRID, bar, line, picture, words
from bot.assembly import build_product
from bot.evaluation.demo_bank import SECRET, fill, settings_for
from bot.evaluation.local_postgres import LocalPostgres, local_postgres
from bot.evaluation.services import understanding_service
from bot.evaluation.turns import SENTENCES, app_process, logged_in, quantile, speak
from bot.running.premises import free_port
from bot.settings import ROOT, Settings, load_settings
from migrations.runner import upgrade

FIGURES = ROOT / "benchmarks" / "app_processes.json"
CHART = ROOT / "docs" / "charts" / "processes.svg"
SENTENCE = SENTENCES["account_balance"]
PARTS = ("app", "understanding", "PostgreSQL")
DATABASES = ("bank", "sandbox")


@dataclass
class Round:
    """One way of sharing the customers, for some seconds."""

    processes: int
    spent_ms: list[float]
    turns_per_s: float
    processor_ms: dict[str, float]  # a turn, by part


@dataclass
class Site:
    """What runs."""

    ports: list[int]
    tokens: list[str]
    parts: dict[str, list[psutil.Process]]
    rounds: list[Round] = field(default_factory=list)

    def processor_s(self) -> dict[str, float]:
        """Spent so far, by part."""
        return {
            name: sum(_processor_s(each) for process in group for each in _with_children(process))
            for name, group in self.parts.items()
        }

    async def measure(self, processes: int, seconds: float) -> None:
        """One round."""
        ports = self.ports[:processes]
        before_s, started_s = self.processor_s(), perf_counter()
        per_user = await asyncio.gather(
            *(speak(ports[at % processes], token, SENTENCE, seconds) for at, token in enumerate(self.tokens))
        )
        elapsed_s, after_s = perf_counter() - started_s, self.processor_s()
        spent_ms = sorted(ms for user in per_user for ms in user)
        cost_ms = {part: (after_s[part] - before_s[part]) * 1000 / len(spent_ms) for part in PARTS}
        self.rounds.append(Round(processes, spent_ms, len(spent_ms) / elapsed_s, cost_ms))


def _with_children(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _processor_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


async def measured(seconds: float, rounds: int, users: int) -> dict[str, object]:
    """The figures."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(local_postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhanggui-")))
        settings = await _bank(server, folder, users)
        own = load_settings()
        nlu_settings = settings_for(folder, nlu_model_dir=own.nlu_model_dir, nlu_url=own.nlu_url)
        nlu = await stack.enter_async_context(understanding_service(nlu_settings, _say))
        understanding = [_listener(int(nlu.url.rpartition(":")[2]))]
        extra = {
            "ZHANGGUI_DATABASE_URL": settings.database_url,
            "ZHANGGUI_SANDBOX_DATABASE_URL": settings.sandbox_database_url,
            "ZHANGGUI_TERMS_PATH": str(settings.terms_path),
        }
        ports, apps = [free_port(), free_port()], []
        for port in ports:
            app = app_process(folder, port, nlu.url, SECRET.get_secret_value(), extra)
            apps.append(psutil.Process((await stack.enter_async_context(app)).pid))
        parts = {"app": apps, "understanding": understanding, "PostgreSQL": [_postmaster(server)]}
        site = Site(ports, await logged_in(settings, users), parts)
        await site.measure(2, 2.0)  # warms both
        site.rounds.clear()
        for number in range(rounds):
            _say(f"round {number + 1} of {rounds} …")
            for processes in (1, 2) if number % 2 == 0 else (2, 1):
                await site.measure(processes, seconds)
        return _report(site.rounds, seconds, users)


async def _bank(server: LocalPostgres, folder: Path, users: int) -> Settings:
    admin = build_product(settings_for(folder, database_url=server.url())).database
    async with admin.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        for name in DATABASES:
            await connection.exec_driver_sql(f"CREATE DATABASE {name}")
    await admin.close()
    terms = folder / "terms.yml"  # a few customers come in many browsers
    terms.write_text(f"identity:\n  sessions_max: {users}\n", encoding="utf-8")
    bank, sandbox = (server.url(name) for name in DATABASES)
    settings = settings_for(folder, database_url=bank, sandbox_database_url=sandbox, terms_path=terms)
    await upgrade(bank, vault=settings.open_vault())
    product = build_product(settings, clock=ManualClock(datetime.now(UTC)))
    _say("the demo bank …")
    await fill(product)
    await product.close()
    return settings


def _postmaster(server: LocalPostgres) -> psutil.Process:
    pid = (server.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
    return psutil.Process(int(pid))


def _listener(port: int) -> psutil.Process:
    """Who listens there."""
    found = [
        c.pid
        for c in psutil.net_connections("tcp")
        if c.laddr and c.laddr.port == port and c.status == "LISTEN"
    ]
    assert found and found[0] is not None, "the service listens"
    return psutil.Process(found[0])


def _report(rounds: Sequence[Round], seconds: float, users: int) -> dict[str, object]:
    by_processes = {count: [r for r in rounds if r.processes == count] for count in (1, 2)}
    rates = {count: [r.turns_per_s for r in some] for count, some in by_processes.items()}
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    return {
        "cores": os.cpu_count(),
        "load_average": round(psutil.getloadavg()[0], 1),
        "users": users,
        "seconds": seconds,
        "rounds": len(ratios),
        "turns_per_s": {str(count): round(statistics.median(some), 1) for count, some in rates.items()},
        "ratios": [round(ratio, 2) for ratio in ratios],
        "ratio": round(statistics.median(ratios), 2),
        "p95_ms": {
            str(count): round(quantile(sorted(ms for r in some for ms in r.spent_ms), 0.95))
            for count, some in by_processes.items()
        },
        "processor_ms": {
            str(count): {
                part: round(statistics.median(r.processor_ms[part] for r in some), 2) for part in PARTS
            }
            for count, some in by_processes.items()
        },
    }


def chart(figures: dict[str, object]) -> str:
    """Left: turns a second with one process and two. Right: what a turn costs each part. The same text each time."""
    return picture(
        700,
        240,
        "Turns a second with one and two app processes, and processor time a turn by part",
        [*_rates(figures), *_costs(figures)],
    )


def _rates(figures: dict[str, object]) -> Iterable[str]:
    rates: dict[str, float] = figures["turns_per_s"]  # type: ignore[assignment]
    yield words(20, 24, "Turns a second, in one run", size=14)
    yield words(20, 42, f"median ratio {figures['ratio']}, {figures['cores']} cores for everything")
    for at, (count, rate) in enumerate(rates.items()):
        y = 66 + at * 46
        yield bar(110, y, 170 * rate / max(rates.values()), 28, GOOD)
        yield words(104, y + 18, f"{count} process{'es' if count != '1' else ''}", anchor="end")
        yield words(116, y + 18, f"{rate}")


def _costs(figures: dict[str, object]) -> Iterable[str]:
    costs: dict[str, float] = figures["processor_ms"]["1"]  # type: ignore[index]
    yield words(360, 24, "Processor time a turn, one process", size=14)
    yield line(460, 52, 460, 220, GRID)
    for at, (part, ms) in enumerate(costs.items()):
        y = 66 + at * 46
        yield bar(460, y, 180 * ms / max(costs.values()), 28, BAD if ms == max(costs.values()) else GOOD)
        yield words(454, y + 18, part, anchor="end")
        yield words(466, y + 18, f"{ms:.1f} ms")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app_processes")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    figures = asyncio.run(measured(chosen.seconds, chosen.rounds, chosen.users))
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    print(text)
    if chosen.write:
        FIGURES.write_text(text + "\n", encoding="utf-8")
        CHART.write_text(chart(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
