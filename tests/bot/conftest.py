"""What several tests of commands and settings need."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Settings


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory and an environment without settings of ours; data lies in `data` below it."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ZHANGGUI_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZHANGGUI_DATA_DIR", str(tmp_path / "data"))
    return tmp_path
