"""A running server does not look through what it has loaded: that would be a gap in every call."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from bot.running.memory import settle


@pytest.fixture
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_loaded_is_left_alone_and_what_comes_later_is_still_cleared_away(unfrozen: None) -> None:
    kept = [[number] for number in range(1000)]
    settle()
    assert gc.get_freeze_count() > len(kept)
    assert not any(found is kept[0] for found in gc.get_objects())
    later: list[object] = []
    later.append(later)
    del later
    assert gc.collect() >= 1
