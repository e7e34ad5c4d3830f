"""The voice of espeak-ng, from the library in the wheel `espeakng-loader`. It is one per process and one at a time."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any, Final

import numpy as np

from bot.channels.phone.errors import SpeakingFailed
from bot.channels.phone.speaking.narrowing import narrowed

VOICE: Final = "cmn"
WORDS_PER_MINUTE: Final = 190
TEXT_CHARS_MAX: Final = 300
CHUNK_BYTES: Final = 8000  # half a second
_RETRIEVAL, _NO_EXIT, _CHARS_UTF8, _RATE, _CHARACTER = 1, 0x8000, 1, 1, 1
_LOCK = threading.Lock()
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Engine:
    """The library, opened once."""

    def __init__(self) -> None:
        try:
            loader = import_module("espeakng_loader")
            library = ctypes.CDLL(loader.get_library_path())
            data = loader.get_data_path().encode()
        except (ImportError, OSError, RuntimeError) as error:
            raise SpeakingFailed(f"espeak-ng cannot be loaded: {type(error).__name__}") from None
        self._library: Any = library
        self.rate_hz = library.espeak_Initialize(_RETRIEVAL, 0, data, _NO_EXIT)
        if self.rate_hz <= 0 or library.espeak_SetVoiceByName(VOICE.encode()) != 0:
            raise SpeakingFailed("espeak-ng has no Chinese voice")
        library.espeak_Info.restype = ctypes.c_char_p
        self.version = (library.espeak_Info(None) or b"").decode("utf-8", "replace")
        self._samples: list[np.ndarray[Any, np.dtype[np.int16]]] = []
        self._callback = _Callback(self._take)  # kept: the library holds only its address
        library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._samples.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def synthesise(self, text: str, rate: float) -> np.ndarray[Any, np.dtype[np.int16]]:
        """Samples at `rate_hz`."""
        self._samples = []
        self._library.espeak_SetParameter(_RATE, round(WORDS_PER_MINUTE * rate), 0)
        words = text.encode()
        failed = self._library.espeak_Synth(words, len(words) + 1, 0, _CHARACTER, 0, _CHARS_UTF8, None, None)
        if failed or self._library.espeak_Synchronize():
            raise SpeakingFailed("espeak-ng did not speak")
        return np.concatenate(self._samples) if self._samples else np.zeros(0, np.int16)


_engine: _Engine | None = None


def synthesise(text: str, rate: float) -> bytes:
    """The whole text as telephone PCM; takes tens of milliseconds. Raises SpeakingFailed."""
    global _engine  # noqa: PLW0603, the library itself is global
    with _LOCK:
        _engine = _engine or _Engine()
        samples = _engine.synthesise(text.replace("\0", "")[:TEXT_CHARS_MAX], rate)
        from_hz = _engine.rate_hz
    return narrowed(samples, from_hz)


def name() -> str:
    """What renders: another version of the library, another voice or pace is another recording.

    Raises SpeakingFailed.
    """
    global _engine  # noqa: PLW0603, the library itself is global
    with _LOCK:
        _engine = _engine or _Engine()
        return f"espeak-ng {_engine.version} {VOICE} {WORDS_PER_MINUTE}"


class EspeakSpeaker:
    """A `Speaker`. The work is done beside the event loop."""

    async def speak(self, text: str, rate: float) -> AsyncIterator[bytes]:
        """PCM in chunks of half a second."""
        pcm = await asyncio.to_thread(synthesise, text, rate)
        for at in range(0, len(pcm), CHUNK_BYTES):
            yield pcm[at : at + CHUNK_BYTES]
