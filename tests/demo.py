"""The demo bank that tests copy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

DemoTemplate = Callable[[], Awaitable[Path]]  # the folder, filled once for all tests of a process
