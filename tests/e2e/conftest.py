"""What the end-to-end tests share: one NLU service, one filled bank to copy, one browser for the whole run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from bot.evaluation.demo_bank import copy_template, make_template, settings_for
from bot.evaluation.services import understanding_service
from bot.running.nlu_service import NLU_PROJECT
from bot.settings import load_settings
from bot.understanding.client import NluClient
from tests.browsers import open_browser
from tests.e2e.counter import BackOffice, Counter
from tests.needs import missing


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nlu(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NluClient]:
    """The real understanding service, with the model `make test` has trained."""
    if not (NLU_PROJECT / ".venv").exists():
        missing("the NLU environment is not installed; run make install")
    folder = tmp_path_factory.mktemp("nlu")
    settings = settings_for(folder, nlu_model_dir=load_settings().nlu_model_dir, nlu_port=1)
    async with understanding_service(settings, print) as client:
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo bank as of today, to be copied."""
    return await make_template(tmp_path_factory.mktemp("template"), datetime.now(UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counter(
    nlu: NluClient, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Counter]:
    """The running product on a fresh bank, one per test module."""
    folder = tmp_path_factory.mktemp("counter")
    copy_template(template, folder)
    running = Counter(folder, nlu.url)
    try:
        await running.start()
        yield running
    finally:
        running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(counter: Counter) -> AsyncIterator[BackOffice]:
    """The running product's books."""
    office = counter.office()
    yield office
    await office.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium. In CI it must be there."""
    async with open_browser() as browser:
        yield browser
