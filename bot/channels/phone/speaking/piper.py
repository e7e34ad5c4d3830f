"""A voice file of Piper, by the package `piper-tts`, which is installed only where it is wanted: `.[piper]`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bot.channels.phone.errors import SpeakingFailed
from bot.channels.phone.speaking.narrowing import narrowed
from bot.channels.phone.unreported import unreported

TEXT_CHARS_MAX: Final = 300
_NAME_BYTES: Final = 1 << 20


class PiperSpeaker:
    """A `Speaker`. Sentence by sentence, the work done beside the event loop."""

    def __init__(self, model: Path) -> None:
        """Loads the voice, which takes a second. Raises SpeakingFailed."""
        try:
            unreported()
            piper = import_module("piper")
        except (ImportError, OSError) as error:
            raise SpeakingFailed(f"piper-tts cannot be imported: {type(error).__name__}") from None
        try:
            self._voice: Any = piper.PiperVoice.load(str(model))
        except Exception as error:  # what the runtime raises has no type of its own
            raise SpeakingFailed(f"no voice in {model.name!r}: {type(error).__name__}") from None
        self._config: Any = piper.SynthesisConfig
        self.name = f"piper {name_of(model)}"

    async def speak(self, text: str, rate: float) -> AsyncIterator[bytes]:
        """PCM, a sentence at a time."""
        chunks = self._chunks(text.replace("\0", "")[:TEXT_CHARS_MAX], rate)
        while (pcm := await asyncio.to_thread(next, chunks, None)) is not None:
            if pcm:
                yield pcm

    def _chunks(self, text: str, rate: float) -> Iterator[bytes]:
        scale = float(self._voice.config.length_scale) / rate
        try:
            for chunk in self._voice.synthesize(text, self._config(length_scale=scale)):
                yield narrowed(chunk.audio_int16_array, int(chunk.sample_rate))
        except Exception as error:  # its words may quote the text: only the kind is told
            raise SpeakingFailed(f"piper did not speak: {type(error).__name__}") from None


def name_of(model: Path) -> str:
    """Tells one voice file from another, without reading all of it. Raises SpeakingFailed."""
    try:
        with model.open("rb") as file:
            head = file.read(_NAME_BYTES)
        return f"{model.name} {model.stat().st_size} {hashlib.sha256(head).hexdigest()[:16]}"
    except OSError:
        raise SpeakingFailed(f"there is no voice file {model.name!r}") from None
