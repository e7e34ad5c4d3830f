"""Keeping a fitted model: one `.npz` per state of the inputs, never committed, safe to delete at any time."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bot.knowledge.lexicon import read
from bot.knowledge.model import Model
from bot.knowledge.space import Axes, Postings, TermSpace

_LOG = logging.getLogger(__name__)
_PREFIX = "knowledge-"
_SEPARATOR = "\n"
_KEY_LENGTH = 24
_MODE = 0o644  # nothing of it is secret, and an image is built by another user than it is run by
_CODE = (Path(__file__).parent, Path(__file__).parents[1] / "dialogue" / "reading")


def key_of(digest: str, files: Iterable[Path]) -> str:
    """A name for this state of the inputs: the lexicon's digest, the files, and the code that fits.

    Raises MalformedKnowledge when a file cannot be read.
    """
    found = hashlib.sha256(digest.encode())
    code = [path for folder in _CODE for path in sorted(folder.glob("*.py"))]
    for path in (*files, *code):
        content = read(path).encode()
        found.update(f"\0{path.name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()[:_KEY_LENGTH]


def fetch(folder: Path, key: str) -> tuple[TermSpace, Model] | None:
    """The model kept under this key, or None when there is none or its file is damaged."""
    path = _path(folder, key)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        terms = arrays["terms"].tobytes().decode("utf-8").split(_SEPARATOR)
        size = arrays["folded"].shape[0]
        postings = Postings(arrays["starts"], arrays["documents"], arrays["postings"], size)
        model = Model(
            postings=postings,
            first=arrays["first"],
            axes=Axes(arrays["projection"], arrays["rows"], int(arrays["latent"])),
            folded=arrays["folded"],
            dual=arrays["dual"],
            weights=arrays["weights"],
        )
        return TermSpace(terms, arrays["idf"]), model
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _LOG.warning("the kept model %s is damaged (%s); fitting anew", path.name, type(error).__name__)
        return None


def keep(folder: Path, key: str, space: TermSpace, model: Model) -> None:
    """Writes the model under its key in one step and drops older ones; a disk that refuses is only logged."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".part", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, _MODE)
                np.savez(
                    file,
                    terms=np.frombuffer(_SEPARATOR.join(space.terms).encode(), dtype=np.uint8),
                    idf=space.idf,
                    starts=model.postings.starts,
                    documents=model.postings.documents,
                    postings=model.postings.weights,
                    first=model.first,
                    projection=model.axes.projection,
                    rows=model.axes.rows,
                    latent=np.int32(model.axes.latent),
                    folded=model.folded,
                    dual=model.dual,
                    weights=model.weights,
                )
            Path(name).replace(_path(folder, key))
        finally:
            Path(name).unlink(missing_ok=True)
        for old in folder.glob(f"{_PREFIX}*.npz"):
            if old != _path(folder, key):
                old.unlink(missing_ok=True)
    except OSError as error:
        _LOG.warning("the knowledge model could not be kept in %s (%s)", folder.name, type(error).__name__)


def _path(folder: Path, key: str) -> Path:
    return folder / f"{_PREFIX}{key}.npz"
