"""What holds for every test."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import assembly
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import make_template
from bot.knowledge import KnowledgeBase
from bot.knowledge.entries import load_entries
from tests.demo import DemoTemplate


@pytest.fixture(scope="session", autouse=True)
def knowledge_read_once() -> Iterator[None]:
    """Every product a test builds would read the same fitted model: a second of processor time and 250 MB each.

    Answers are filled from the bank's terms each time, for tests have terms of their own.
    """
    read: dict[tuple[Path, Path | None], KnowledgeBase] = {}

    class ReadOnce(KnowledgeBase):
        @classmethod
        def load(cls, folder: Path, terms: Any, cache_dir: Path | None = None, **more: Any) -> KnowledgeBase:
            key = (folder, cache_dir)
            if key not in read:
                read[key] = KnowledgeBase.load(folder, terms, cache_dir, **more)
            base = copy.copy(read[key])
            base.entries = load_entries(folder, terms)
            return base

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "KnowledgeBase", ReadOnce)
        yield


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory) -> DemoTemplate:
    """A filled demo bank as of MOMENT, made for the first who asks; to be copied, never opened."""
    folder = tmp_path_factory.mktemp("demo") / "template"

    async def made() -> Path:
        return folder if folder.exists() else await make_template(folder, MOMENT)

    return made
