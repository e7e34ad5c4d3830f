"""What the line always says is rendered once and kept on disk. What is said of a customer is never written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Final

from bot.channels.phone.ports import Speaker

RATE_NORMAL: Final = 1.0


class CachedSpeaker:
    """A `Speaker` in front of another one, for the sentences in `always`. `voice` names what renders them."""

    def __init__(self, inner: Speaker, folder: Path, always: Collection[str], *, voice: str) -> None:
        self._inner, self._folder = inner, folder
        self._always, self._voice = frozenset(always), voice

    async def prepare(self) -> None:
        """Renders what is not kept yet, so that the first caller waits for nothing. Raises SpeakingFailed."""
        for text in sorted(self._always):
            if not self._path(text, RATE_NORMAL).exists():
                async for _ in self.speak(text, RATE_NORMAL):
                    pass

    async def speak(self, text: str, rate: float) -> AsyncIterator[bytes]:
        """From disk when it is there; whoever says it first puts it there. A full disk is no reason to be silent."""
        if text not in self._always:
            async for pcm in self._inner.speak(text, rate):
                yield pcm
            return
        path = self._path(text, rate)
        kept = _read(path)
        if kept is not None:
            yield kept
            return
        rendered = b""
        async for pcm in self._inner.speak(text, rate):
            rendered += pcm
            yield pcm
        _write(path, rendered)

    def _path(self, text: str, rate: float) -> Path:
        name = hashlib.sha256(f"{self._voice}\n{rate:.2f}\n{text}".encode()).hexdigest()
        return self._folder / f"{name}.pcm"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes() or None
    except OSError:
        return None


def _write(path: Path, pcm: bytes) -> None:
    if not pcm:
        return
    beside = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(pcm)
        beside.replace(path)  # whole or not at all
    except OSError:
        return
