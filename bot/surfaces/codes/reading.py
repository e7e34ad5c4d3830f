"""Reads the QR codes in pictures that strangers send. No picture is kept, and none is opened in this process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

from bot.surfaces.apart import ApartFailed, Limits, apart

DECODER: Final = Path(__file__).with_name("decoder.py")
BYTES_MAX: Final = 4 * 1024 * 1024
LIMITS: Final = Limits(memory_bytes=1024 * 1024 * 1024, cpu_s=8, clock_s=10.0, told_bytes=64 * 1024)
AT_ONCE_MAX, WAITING_MAX = 2, 16
_MAGIC: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class PictureRefused(Exception):
    """No picture that can be read: another kind, too large, broken, or too many at once."""

    code = "picture_refused"


class CodeReader:
    """Reads two pictures at once; a few more wait."""

    def __init__(self, *, decoder: Path = DECODER) -> None:
        self._decoder, self._gate, self._inside = decoder, asyncio.Semaphore(AT_ONCE_MAX), 0

    async def texts(self, picture: bytes) -> tuple[str, ...]:
        """What the QR codes in a JPEG or PNG say, () without any. Raises PictureRefused."""
        if not picture.startswith(_MAGIC) or len(picture) > BYTES_MAX or self._inside >= WAITING_MAX:
            raise PictureRefused(f"{len(picture)} bytes, {self._inside} waiting")
        self._inside += 1
        try:
            async with self._gate:
                told = await apart(self._decoder, picture, limits=LIMITS)
            return tuple(str(text) for text in json.loads(told))
        except (ApartFailed, ValueError, TypeError) as error:
            raise PictureRefused(str(error)) from None
        finally:
            self._inside -= 1
