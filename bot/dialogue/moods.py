"""Words of distress and of anger: who says them is not asked back but given a human. The words are data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.dialogue.errors import MalformedMoods
from bot.dialogue.reasons import Reason
from bot.dialogue.yaml_loader import LOADER

DEFAULT_PATH = Path(__file__).with_name("moods.yml")
TEXT_READ_MAX = 500
When = Literal["always", "idle", "unclear"]
_SPACES = re.compile(r"\s+")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    reason: Reason
    when: When
    even: tuple[str, ...] = ()
    patterns: tuple[str, ...] = Field(min_length=1)
    unless: str = ""
    says: str = Field(min_length=8, max_length=100, pattern="。$")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    moods: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class Mood:
    """What one sentence tells of the customer: why a human comes, when at once (see moods.yml), what is said first."""

    reason: Reason
    when: When
    says: str
    even: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moods:
    """The compiled rows, the first that fits decides."""

    rows: Sequence[tuple[re.Pattern[str], re.Pattern[str] | None, Mood]]

    @classmethod
    def load(cls, path: Path = DEFAULT_PATH) -> Moods:
        """Reads and compiles the file. Raises MalformedMoods."""
        try:
            data = _File.model_validate(yaml.load(path.read_text(encoding="utf-8"), LOADER))
            rows = tuple(
                (
                    re.compile("|".join(f"(?:{pattern})" for pattern in row.patterns), re.IGNORECASE),
                    re.compile(row.unless) if row.unless else None,
                    Mood(row.reason, row.when, row.says, row.even),
                )
                for row in data.moods
            )
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, re.error) as error:
            raise MalformedMoods(f"{path.name}: {error}") from error
        return cls(rows)

    def hear(self, text: str) -> Mood | None:
        """The mood of one sentence, if it tells one."""
        plain = _SPACES.sub("", text[:TEXT_READ_MAX])
        for pattern, unless, mood in self.rows:
            if pattern.search(plain) and (unless is None or not unless.search(plain)):
                return mood
        return None


@cache
def packaged_moods() -> Moods:
    """The words that are shipped."""
    return Moods.load()
