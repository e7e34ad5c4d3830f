"""What every recording is: frames of 20 ms, a minute of them at most."""

from __future__ import annotations

from typing import Final

FRAME_MS: Final = 20
DURATION_MAX_S: Final = 60  # as long as WeChat lets anybody speak
FRAMES_MAX: Final = (DURATION_MAX_S + 1) * 1000 // FRAME_MS
