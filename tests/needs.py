"""What some tests need of the machine. Where it is missing they are skipped with a reason; in CI they fail."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from bot.running.nlu_service import NLU_PROJECT


def in_ci() -> bool:
    """Whether nothing may be missing."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def missing(what: str) -> NoReturn:
    """Ends the test: failed in CI, skipped elsewhere; `what` is the reason shown."""
    if in_ci():
        pytest.fail(f"CI must have it: {what}", pytrace=False)
    pytest.skip(what)


# Starts the real understanding service; in CI it is tried, and fails, where it is not installed.
needs_nlu = pytest.mark.skipif(
    not (NLU_PROJECT / ".venv").exists() and not in_ci(),
    reason="the NLU environment is not installed; run make install",
)
