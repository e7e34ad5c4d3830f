"""Reading the bank's YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from banking_core.configuration.errors import TermsError


def read_yaml(path: Path) -> Any:
    """The file's content; raises TermsError when it cannot be read."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise TermsError(f"cannot read {path.name}: {type(error).__name__}") from error
