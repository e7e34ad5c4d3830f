"""The ears: WebRTC's voice detector and a Vosk recogniser per call, with one model for all of them."""

from bot.channels.phone.hearing.engine import VoskHearing
from bot.channels.phone.hearing.voice import WebRtcDetector

__all__ = ["VoskHearing", "WebRtcDetector"]
