"""Skills that customers ask for and that the assistant cannot do yet: it says so, explains, and names a way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.dialogue.errors import MalformedAnnouncement
from bot.dialogue.reasons import Reason
from bot.dialogue.yaml_loader import LOADER


@dataclass(frozen=True, slots=True)
class Announced:
    """A skill without a handler. `today` is one honest sentence on what is possible; `entries` are ids of
    knowledge entries that explain how it works; `moves_money` says that a false start would be one with money;
    `hand_over` is the reason with which a human takes over at once, where only a human can do it today."""

    intent: str
    title: str
    today: str
    entries: tuple[str, ...] = ()
    moves_money: bool = False
    hand_over: Reason | None = None


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=2, max_length=12)
    today: str = Field(min_length=8, max_length=160)
    faq: tuple[str, ...] = ()
    moves_money: bool = False
    hand_over: Reason | None = None


def load_announced(folder: Path) -> tuple[Announced, ...]:
    """Every skill announced in the `*.yml` files of a folder, by file and line. Raises MalformedAnnouncement."""
    found: dict[str, Announced] = {}
    for path in sorted(folder.glob("*.yml")):
        for intent, row in _rows(path).items():
            if intent in found:
                raise MalformedAnnouncement(f"{path.name}: {intent} is announced twice")
            try:
                read = _Row.model_validate(row)
            except ValidationError as error:
                raise MalformedAnnouncement(f"{path.name}: {intent}: {error.errors()[0]['msg']}") from error
            found[intent] = Announced(
                intent, read.name, read.today, read.faq, read.moves_money, read.hand_over
            )
    return tuple(found.values())


def _rows(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MalformedAnnouncement(f"{path.name} cannot be read: {type(error).__name__}") from error
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise MalformedAnnouncement(f"{path.name} is no table of skills")
    return data
