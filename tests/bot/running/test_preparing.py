"""Starting: several processes at once on an empty bank, and children that never outlive their parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from banking_core.clock import ManualClock
from banking_core.customers.models import Customer
from bot.assembly import build_product
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import settings_for
from bot.running.launcher import prepare_bank
from bot.running.premises import free_port
from bot.settings import ROOT
from desk.models import DeskAgent
from desk.service import DEMO_AGENTS, DEMO_LEADS
from tests.bot.conversation.talking import Hears
from tests.needs import needs_nlu
from tests.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]
PARENT = """
import asyncio, sys
from pathlib import Path
from bot.running.nlu_service import NluModel, nlu_service
async def main():
    model = NluModel(Path(sys.argv[1]), "0" * 64)
    async with nlu_service(model, int(sys.argv[2]), "token", Path(sys.argv[3])):
        pass
asyncio.run(main())
"""


async def test_of_processes_that_start_at_once_on_an_empty_bank_one_fills_it(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path, database_url=postgres_url)
    products = [build_product(settings, clock=ManualClock(MOMENT), understander=Hears()) for _ in range(2)]
    await asyncio.gather(*(prepare_bank(settings, product, lambda _line: None) for product in products))
    async with products[0].database.snapshot() as session:
        phones = [customer.phone for customer in await session.scalars(select(Customer))]
        agents = await session.scalar(select(func.count()).select_from(DeskAgent))
    assert len(phones) == len(set(phones)) > 0 and agents == len(DEMO_AGENTS) + len(DEMO_LEADS)
    for product in products:
        await product.close()


@needs_nlu
@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends the child on Linux only")
async def test_the_understanding_service_ends_with_its_app_process_even_killed(tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    os.mkfifo(archive)  # the service waits in the middle of its start for ever
    arguments = [str(archive), str(free_port()), str(tmp_path / "log")]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *arguments], cwd=ROOT)
    children: list[psutil.Process] = []
    async with asyncio.timeout(30):
        while not children:
            children = psutil.Process(parent.pid).children()
            await asyncio.sleep(0.05)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone and not alive
