"""A copy of the demo bank for tests that call it; codes are known beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.assembly import Product
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import make_template, open_copy
from tests.banking_core.identity.logging_in import known_code
from tests.bot.channels.phone.telephone import Hears


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the template of a module's tests lies."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
async def product(folder: Path, tmp_path: Path) -> AsyncIterator[Product]:
    """The product, started, with a bank of its own."""
    template = folder / "template"
    if not template.exists():
        await make_template(template, MOMENT)
    product = open_copy(template, tmp_path, MOMENT, Hears())
    await product.start()
    with known_code():
        yield product
    await product.close()
