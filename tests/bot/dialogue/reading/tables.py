"""Reads the tables beside this file: one row a line, columns apart by tabs, comments after #."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def rows(name: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of a table; every row has that many columns."""
    found = []
    for place, line in enumerate((HERE / name).read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        cells = tuple(line.split("\t"))
        assert len(cells) == columns, f"{name}:{place}: {len(cells)} columns instead of {columns}"
        found.append(cells)
    return found
