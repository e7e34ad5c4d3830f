"""Recognising what swindlers teach people to say. Text comes in, counts go out; nothing is kept here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from banking_core.checked import AnyText, checked
from banking_core.risk.context import PHRASE_CATEGORIES
from banking_core.risk.errors import PhrasesInvalid
from banking_core.yaml_loader import LOADER

DEFAULT_PATH = Path(__file__).with_name("phrases.yml")
TEXT_READ_MAX = 500
_SPACES = re.compile(r"\s+")


class _Category(BaseModel):
    model_config = ConfigDict(extra="forbid")
    words: str
    warning: Annotated[str, Field(max_length=100, pattern=r"[\u4e00-\u9fff].*。$")]
    patterns: list[str] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: int
    enquiry: str
    story: str
    categories: dict[str, _Category]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one sentence told: the categories it hit, or that it was a question about swindles."""

    categories: tuple[str, ...] = ()
    enquiry: bool = False


@checked
@dataclass(frozen=True, slots=True)
class Phrases:
    """The compiled list."""

    version: int
    enquiry: re.Pattern[str]
    story: re.Pattern[str]
    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    warnings: dict[str, str]

    @classmethod
    def load(cls, path: Path = DEFAULT_PATH) -> Phrases:
        """Reads and compiles the list. Raises PhrasesInvalid."""
        try:
            data = _File.model_validate(yaml.load(path.read_text(encoding="utf-8"), LOADER))
            if tuple(data.categories) != PHRASE_CATEGORIES:
                raise PhrasesInvalid(f"categories must be {', '.join(PHRASE_CATEGORIES)}, in this order")
            return cls(
                data.version,
                re.compile(data.enquiry),
                re.compile(data.story),
                tuple(
                    (name, re.compile("|".join(f"(?:{pattern})" for pattern in category.patterns)))
                    for name, category in data.categories.items()
                ),
                {name: category.warning for name, category in data.categories.items()},
            )
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError, re.error) as error:
            raise PhrasesInvalid(f"{path.name}: {error}") from error

    def hear(self, text: AnyText) -> Heard:
        """The categories of one sentence of the customer's own."""
        plain = _SPACES.sub("", text[:TEXT_READ_MAX])
        hits = tuple(name for name, pattern in self.patterns if pattern.search(plain))
        if hits and self.enquiry.search(plain) and not self.story.search(plain):
            return Heard(enquiry=True)
        return Heard(hits)

    def warning(self, heard: Heard) -> str:
        """What a customer who told this must be told at once, in plain words; "" when it was no story."""
        return self.warnings[heard.categories[0]] if heard.categories else ""


@cache
def packaged_phrases() -> Phrases:
    """The list that is shipped."""
    return Phrases.load()
