"""Sentences that cost money when confused: a transfer or a question about one, lock or unlock, lost or found."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from actions.registry import build_registry
from bot.dialogue.commands import Command, recognise, sounds_like_question
from bot.dialogue.outcome import DEFAULT_POLICY
from bot.dialogue.understanding import Understanding
from bot.evaluation.intents import read_labelled
from bot.evaluation.services import understanding_service
from bot.settings import ROOT, load_settings
from bot.understanding.client import NluClient
from tests.needs import needs_nlu

SETS = sorted((ROOT / "nlu_data" / "contrast").glob("*.tsv"))
ACCURACY_MIN = 0.9

pytestmark = [
    pytest.mark.nlu,
    pytest.mark.asyncio(loop_scope="module"),
    needs_nlu,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def understander() -> AsyncIterator[NluClient]:
    async with understanding_service(load_settings(), print) as client:
        yield client


def careful_intents() -> set[str]:
    return {s.intent for s in build_registry() if s.manner.moves_money or s.manner.guarded}


def decided(text: str, heard: Understanding) -> str:
    """What the assistant goes by: a steering word by rule, else the model's best intent."""
    command = recognise(text, heard)
    return command.value if command is not None else heard.intent


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
async def test_nothing_that_moves_money_or_changes_security_starts_falsely(
    path: object, understander: NluClient
) -> None:
    careful = careful_intents()
    wrong = []
    for text, labels in read_labelled(path):  # type: ignore[arg-type]
        heard = await understander.understand(text)
        intent = decided(text, heard)
        asks = sounds_like_question(text)
        least = DEFAULT_POLICY.digress_sure_min if asks else DEFAULT_POLICY.start_money_min
        starts = intent in careful and heard.confidence >= least
        if starts and intent not in labels:
            wrong.append((text, intent, round(heard.confidence, 2)))
    assert not wrong


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
async def test_a_no_is_never_taken_for_a_yes(path: object, understander: NluClient) -> None:
    for text, labels in read_labelled(path):  # type: ignore[arg-type]
        if "affirm" not in labels:
            heard = await understander.understand(text)
            assert recognise(text, heard) is not Command.AFFIRM, text


async def test_the_contrast_sets_are_understood(understander: NluClient) -> None:
    rows = [row for path in SETS for row in read_labelled(path)]
    missed = []
    for text, labels in rows:
        heard = await understander.understand(text)
        intent = decided(text, heard)
        if intent not in labels:
            missed.append((text, intent, round(heard.confidence, 2), labels))
    assert len(missed) <= (1 - ACCURACY_MIN) * len(rows), missed
