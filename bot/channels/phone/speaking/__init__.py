"""Voices: espeak-ng, which needs nothing but its wheel, and a cache for what the line always says."""

from bot.channels.phone.speaking.cached import CachedSpeaker
from bot.channels.phone.speaking.espeak import EspeakSpeaker

__all__ = ["CachedSpeaker", "EspeakSpeaker"]
