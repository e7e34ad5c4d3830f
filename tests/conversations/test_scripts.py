"""Every scripted conversation keeps its promise, against the real NLU service and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.evaluation.converse import MOMENT, play
from bot.evaluation.demo_bank import make_template
from bot.evaluation.script import Script, read_scripts
from bot.evaluation.services import understanding_service
from bot.settings import load_settings
from bot.understanding.client import NluClient
from tests.needs import needs_nlu

HERE = Path(__file__).parent
SCRIPTS = [(path.stem, script) for path in sorted(HERE.rglob("*.yml")) for script in read_scripts(path)]

pytestmark = [
    pytest.mark.nlu,
    pytest.mark.asyncio(loop_scope="module"),
    needs_nlu,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await make_template(tmp_path_factory.mktemp("bank"), MOMENT)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def understander() -> AsyncIterator[NluClient]:
    async with understanding_service(load_settings(), print) as client:
        yield client


@pytest.mark.parametrize("script", [pytest.param(s, id=f"{area}-{s.name}") for area, s in SCRIPTS])
async def test_the_conversation_goes_as_written(
    script: Script, template: Path, understander: NluClient
) -> None:
    result = await play(script, template, understander)
    assert result.passed, "\n".join([*result.transcript, *result.failures])
