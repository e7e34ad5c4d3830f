"""Tells voice from silence: WebRTC's detector over a short window, above the noise of the line."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import webrtcvad

from bot.channels.phone.audio import FRAME_S, SAMPLE_RATE_HZ
from bot.channels.phone.loop import VoiceStarted, VoiceStopped

START_FRAMES: Final = 6  # of the last START_WINDOW: 0.12 s of voice within 0.2 s
START_WINDOW: Final = 10
STOP_FRAMES: Final = 12  # in a row without voice
AGGRESSIVENESS: Final = 2
LEVEL_MIN: Final = 60.0  # of 32768; comfort noise and the hiss of a quiet line stay below
ABOVE_NOISE: Final = 2.0
NOISE_RISE: Final = 1.005  # per frame: the floor follows slowly upwards and at once downwards
NOISE_MAX: Final = 800.0


class WebRtcDetector:
    """A `VoiceDetector` for one call."""

    def __init__(self) -> None:
        self._detector = webrtcvad.Vad(AGGRESSIVENESS)
        self._window: deque[bool] = deque(maxlen=START_WINDOW)
        self._noise = LEVEL_MIN
        self._quiet = 0
        self.speaking = False

    def feed(self, frame: bytes) -> VoiceStarted | VoiceStopped | None:
        """What 20 ms of sound changed."""
        voiced = self._voiced(frame)
        self._window.append(voiced)
        self._quiet = 0 if voiced else self._quiet + 1
        if not self.speaking and sum(self._window) >= START_FRAMES:
            self.speaking = True
            return VoiceStarted()
        if self.speaking and self._quiet >= STOP_FRAMES:
            self.speaking = False
            self._window.clear()
            return VoiceStopped(self._quiet * FRAME_S)
        return None

    def _voiced(self, frame: bytes) -> bool:
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        level = float(np.sqrt((samples**2).mean())) if len(samples) else 0.0
        self._noise = min(max(level, 1.0), self._noise * NOISE_RISE, NOISE_MAX)
        if level < max(LEVEL_MIN, self._noise * ABOVE_NOISE):
            return False
        return bool(self._detector.is_speech(frame, SAMPLE_RATE_HZ))
