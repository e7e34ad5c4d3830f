"""Keeps libraries from reporting to their makers what runs here. Called before such a library is imported.

onnxruntime uploads events since 1.29 and keeps an identifier of the machine in the user's cache folder; the loader of
SpeechBrain's models says who asks. Each reads its variable once, at the start.
"""

from __future__ import annotations

import os
from typing import Final

OPT_OUTS: Final = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def unreported() -> None:
    """From now on neither reports anything, whatever the environment said."""
    os.environ.update(OPT_OUTS)
