"""Versions of this package and of the libraries that shape what it understands."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import version

from zhanggui_nlu import __version__

LIBRARIES = ("rasa", "spacy", "scikit-learn", "numpy", "python-crfsuite")


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Version by name."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"zhanggui_nlu": __version__, "python": python, **{name: version(name) for name in LIBRARIES}}
