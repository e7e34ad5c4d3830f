"""The words agents choose from, read from `wording.yml` once at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field

from banking_core.yaml_loader import LOADER


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    wrap_ups: dict[str, str] = Field(min_length=1)
    replies: dict[str, str]


@dataclass(frozen=True, slots=True)
class Wording:
    """`wrap_ups` by code, `replies` ready for everybody by shortcut, see `desk.placeholders`."""

    wrap_ups: Mapping[str, str]
    replies: Mapping[str, str]


def packaged_wording() -> Wording:
    """The words the desk comes with."""
    text = files("desk").joinpath("wording.yml").read_text(encoding="utf-8")
    read = _File.model_validate(yaml.load(text, LOADER))
    return Wording(read.wrap_ups, read.replies)
