"""Voices: espeak-ng, which needs only its wheel; a voice file of Piper; a cache for what the line always says."""

from bot.channels.phone.speaking.cached import CachedSpeaker
from bot.channels.phone.speaking.espeak import EspeakSpeaker
from bot.channels.phone.speaking.fallback import FallbackSpeaker
from bot.channels.phone.speaking.piper import PiperSpeaker

__all__ = ["CachedSpeaker", "EspeakSpeaker", "FallbackSpeaker", "PiperSpeaker"]
