"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from zhanggui_nlu.errors import ModelError


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hex. Raises ModelError when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"The model {path.name} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()
