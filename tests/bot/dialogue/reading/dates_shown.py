"""Dates as the tests write them, read on Wednesday 2026-11-04."""

from __future__ import annotations

from datetime import date

from bot.dialogue.reading.date_types import DateRange, Prefer
from bot.dialogue.reading.dates import read_dates

TODAY = date(2026, 11, 4)
PREFER: dict[str, Prefer] = {"past": "past", "future": "future"}


def shown(value: DateRange) -> str:
    """A day, start..end, or invalid; a repetition behind @."""
    if value.invalid:
        return "invalid"
    text = f"{value.start}" if value.start == value.end else f"{value.start}..{value.end}"
    return f"{text}@{value.repeat.unit}{value.repeat.on}" if value.repeat else text


def read_as_shown(text: str, prefer: str, today: date = TODAY, *, asked: bool = False) -> str:
    """Every date of the text apart by blanks, a|b for two readings, - for none."""
    found = read_dates(text, today, prefer=PREFER[prefer], asked=asked)
    return " ".join("|".join(shown(v) for v in (r.value, *r.alternatives)) for r in found) or "-"
