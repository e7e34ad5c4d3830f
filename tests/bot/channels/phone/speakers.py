"""People who call and are heard as sound: each a voice of espeak-ng, or a list of real recordings, on a telephone line.

Nothing between the line and the bank is a stand-in: detector, recogniser, recording, encoder and bank are the
product's own. What the line says is kept as text (`telephone.Voice`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.channels.phone.audio import FRAME_BYTES, SAMPLE_RATE_HZ, SILENCE, codec
from bot.channels.phone.hearing import VoskHearing
from bot.channels.phone.speaking import espeak
from tests.bot.channels.phone.telephone import Telephone
from tests.bot.channels.phone.voiceprint.voices import spoken_by

PAUSE_FRAMES = 80  # 1.6 s: longer than any pause within what is said
DIGITS = re.compile("[零一二三四五六七八九幺]{4}，[零一二三四五六七八九幺]{4}。")
HISS = 20.0  # of 32768; no line is without


class AtOnce(Executor):
    """Work is done where it is asked for, so that a call of a test hears the same at every run."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class PromptHearing(VoskHearing):
    """The product's ears, without threads of their own."""

    def recogniser(self, tell: Callable[[Any], None]) -> Any:
        self._executor = AtOnce()
        return super().recogniser(tell)


@dataclass(frozen=True, slots=True)
class Mood:
    """How somebody speaks this time: the pace as of a `Speaker`, height and melody as espeak-ng counts them."""

    pace: float = 1.0
    pitch: int = 50
    melody: int = 50


# Nobody says two sentences alike, and a machine that did would be taken for a recording of itself.
MOODS = (
    Mood(0.8, 50, 50),
    Mood(0.9, 40, 70),
    Mood(0.75, 60, 30),
    Mood(0.85, 45, 60),
    Mood(0.95, 56, 40),
    Mood(0.7, 35, 55),
)


def as_spoken(variant: str, text: str, mood: Mood) -> NDArray[np.int16]:
    """By one of espeak-ng's voices, the product's own being ""."""
    espeak.name()
    engine = espeak._engine
    assert engine is not None
    name = f"{espeak.VOICE}+{variant}" if variant else espeak.VOICE
    try:
        assert engine._library.espeak_SetVoiceByName(name.encode()) == 0, name
        _set(engine._library, mood)
        return np.frombuffer(espeak.synthesise(text, mood.pace), "<i2")
    finally:
        engine._library.espeak_SetVoiceByName(espeak.VOICE.encode())
        _set(engine._library, Mood())


def _set(library: Any, mood: Mood) -> None:
    for parameter, value in ((3, mood.pitch), (4, mood.melody)):
        assert library.espeak_SetParameter(parameter, value, 0) == 0


def on_the_line(wave: NDArray[Any], take: int) -> bytes:
    """As a telephone brings it: hiss before, under and after it, and G.711. No two takes have the same hiss."""
    hiss = np.random.default_rng(take).normal(0.0, HISS, SAMPLE_RATE_HZ // 2 + len(wave))
    hiss[SAMPLE_RATE_HZ // 4 :][: len(wave)] += wave
    line = codec("PCMU")
    return line.decode(line.encode(np.clip(hiss, -32768, 32767).astype("<i2").tobytes()))


async def plays(phone: Telephone, pcm: bytes) -> str:
    """Sound comes in from the caller, and a pause; what was said after it."""
    before = len(phone.voice.said)
    whole = len(pcm) // FRAME_BYTES * FRAME_BYTES
    for at in range(0, whole, FRAME_BYTES):
        phone.call.heard(pcm[at : at + FRAME_BYTES])
        await phone.timer.advance(0.02)
    for _ in range(PAUSE_FRAMES):
        phone.call.heard(SILENCE)
        await phone.timer.advance(0.02)
    await phone.rest()
    return "".join(phone.voice.said[before:])


class Person:
    """Somebody with a telephone, who says what they like. `said` is what others may have recorded of it."""

    def __init__(self, variant: str) -> None:
        self._variant = variant
        self.said: list[bytes] = []

    def sound(self, text: str) -> bytes:
        """Of a sentence."""
        take = len(self.said)
        return on_the_line(as_spoken(self._variant, text, MOODS[take % len(MOODS)]), take)

    async def says(self, phone: Telephone, text: str) -> str:
        """Speaks and listens."""
        self.said.append(self.sound(text))
        return await plays(phone, self.said[-1])

    async def repeats(self, phone: Telephone) -> str:
        """The digits that the line has read out last."""
        return await self.says(phone, [piece for piece in phone.voice.said if DIGITS.fullmatch(piece)][-1])


class Reader(Person):
    """A real person. There is no recording of theirs with these digits: each time they say another sentence."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__("")
        self._paths = iter(paths)

    async def repeats(self, phone: Telephone) -> str:
        """Anything but the digits."""
        self.said.append(on_the_line(spoken_by(next(self._paths)), len(self.said)))
        return await plays(phone, self.said[-1])
