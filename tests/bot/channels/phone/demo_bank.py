"""A copy of the demo bank for tests that call it; codes are known beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.assembly import Product
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import open_copy
from tests.banking_core.identity.logging_in import known_code
from tests.bot.channels.phone.telephone import Hears
from tests.demo import DemoTemplate


@pytest.fixture
async def product(demo_template: DemoTemplate, tmp_path: Path) -> AsyncIterator[Product]:
    """The product, started, with a bank of its own."""
    product = open_copy(await demo_template(), tmp_path, MOMENT, Hears())
    await product.start()
    with known_code():
        yield product
    await product.close()
