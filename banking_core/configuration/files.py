"""Reading the YAML files of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from banking_core.configuration.errors import TermsError
from banking_core.yaml_loader import LOADER


def read_mapping(path: Path, error: type[TermsError]) -> Mapping[str, Any]:
    """The mapping a file holds; raises `error` when it cannot be read or holds something else."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), LOADER)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as cause:
        raise error(f"cannot read {path.name}: {type(cause).__name__}") from cause
    if not isinstance(content, dict):
        raise error(f"{path.name} is not a mapping of sections")
    return content
