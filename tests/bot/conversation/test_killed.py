"""The process in which agents and customers talk is killed with -9 again and again: nothing is lost or doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from banking_core.clock import SystemClock
from bot.assembly import Product, build_product
from bot.conversation.models import Message
from bot.settings import ROOT, Settings
from tests.bot.conversation.banks import filled, postgres_cluster, put_on_duty, settings
from tests.bot.conversation.desk_worker import AGENTS, Paper, read_paper
from tests.bot.conversation.talking import Hears
from tests.bot.conversation.voices import problems

__all__ = ["filled", "postgres_cluster", "settings"]
pytestmark = pytest.mark.process
DEATHS = 3


def _start(settings: Settings, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.bot.conversation.desk_worker"]
    arguments = [str(settings.data_dir), settings.database_url, str(seed)]
    process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


def _kill_while_busy(settings: Settings, seed: int) -> None:
    """Dies in the middle of whatever it does, once it has got something done."""
    process = _start(settings, seed)
    before, until_s = len(read_paper(settings.data_dir).done), time.monotonic() + 60
    wanted = before + random.Random(seed).randrange(20, 60)
    while len(read_paper(settings.data_dir).done) < wanted:
        assert process.poll() is None and time.monotonic() < until_s, "the worker works"
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


async def _open_conversations(product: Product, folder: Path) -> list[str]:
    await product.start()
    await put_on_duty(product, AGENTS)
    conversations = [await product.hub.open("web") for _ in range(3)]
    (folder / "conversations.txt").write_text("\n".join(conversations), encoding="utf-8")
    return conversations


async def _assert_kept(product: Product, paper: Paper) -> None:
    """Everything with an answer is where the answer said, once; nothing that was refused is there."""
    async with product.database.snapshot() as session:
        messages = list(await session.scalars(select(Message).where(Message.channel_message_id.is_not(None))))
    places: dict[str, list[tuple[str, int]]] = {}
    for message in messages:
        key = str(message.channel_message_id).rpartition(":")[2]
        places.setdefault(key, []).append((message.conversation_id, message.seq))
    assert {key: len(found) for key, found in places.items() if len(found) > 1} == {}
    kept = {key: places[key][0] for key in paper.done}
    assert kept == {key: (paper.asked[key][0], seq) for key, seq in paper.done.items()}
    assert not paper.refused & places.keys()


async def test_killed_at_any_instant_every_word_is_said_once_and_by_the_owner(settings: Settings) -> None:
    product = build_product(settings, clock=SystemClock(), understander=Hears())
    conversations = await _open_conversations(product, settings.data_dir)
    for death in range(1, DEATHS + 1):
        _kill_while_busy(settings, death)
        await _assert_kept(product, read_paper(settings.data_dir))
        for conversation in conversations:
            assert await problems(product, conversation) == []
    last = _start(settings, 0)  # says again what the last death left open
    assert last.wait(30) == 0
    paper = read_paper(settings.data_dir)
    assert paper.open == [] and len(paper.done) > DEATHS * 20
    await _assert_kept(product, paper)
    for conversation in conversations:
        assert await problems(product, conversation) == []
    await product.close()
