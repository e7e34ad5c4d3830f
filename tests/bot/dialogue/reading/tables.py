"""Reads the tables in `cases`, one per kind: one row a line, columns apart by tabs, comments after #."""

from __future__ import annotations

from pathlib import Path

CASES = Path(__file__).parent / "cases"


def kinds() -> list[str]:
    """The names of the tables."""
    return sorted(path.stem for path in CASES.glob("*.tsv"))


def rows(kind: str) -> list[tuple[str, str, str]]:
    """Text, context ("" where the kind needs none) and what must be read, for every row of a table."""
    found = []
    for place, line in enumerate((CASES / f"{kind}.tsv").read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        text, *context, expected = line.split("\t")
        assert len(context) <= 1, f"{kind}.tsv:{place}: too many columns"
        found.append((text, context[0] if context else "", expected))
    return found
