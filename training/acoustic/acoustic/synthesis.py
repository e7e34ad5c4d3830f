"""Sentences by espeak-ng in many voices. It is a formant synthesiser: good for what follows what, poor as a voice."""

from __future__ import annotations

import ctypes
import pickle
import random
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import espeakng_loader
import numpy as np
import soxr
from pypinyin import Style, lazy_pinyin

from acoustic import phones, sentences
from acoustic.corpus import RATE_HZ, Clip, trim

VOICES: Final = (
    "f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 Alex Alicia Andrea Andy Annie Diogo Gene Henrique Hugo Jacky Lee Mario "
    "Michael Mike Nguyen Reed Storm adam anika aunty belinda benjamin boris caleb david ed edward grandma grandpa iven "
    "iven2 john klatt klatt2 klatt3 linda marcelo max michel miguel norbert pablo paul pedro quincy robert sandro "
    "shelby steph steph2 travis victor zac"
).split()
HELD_OUT_VOICES: Final = frozenset({"f4", "m4", "Annie", "Michael", "belinda", "max", "steph", "klatt3"})
_RATE, _PITCH, _RANGE = 1, 3, 4
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The library; see `espeak`."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._rate_hz = self._library.espeak_Initialize(
            1, 0, espeakng_loader.get_data_path().encode(), 0x8000
        )
        self._samples: list[np.ndarray] = []
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._samples.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def say(self, text: str, voice: str, words_per_minute: int, pitch: int, pitch_range: int) -> np.ndarray:
        """Samples at 16 kHz of Chinese text; characters are given to the voice as pinyin with tones."""
        self._samples = []
        name = f"cmn-latn-pinyin+{voice}".encode()
        if self._library.espeak_SetVoiceByName(name) != 0:
            raise ValueError(f"no voice {voice}")
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        pinyin = " ".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)).encode()
        self._library.espeak_Synth(pinyin, len(pinyin) + 1, 0, 1, 0, 1, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate(self._samples) if self._samples else np.zeros(0, np.int16)
        return soxr.resample(samples, self._rate_hz, RATE_HZ)


@lru_cache(maxsize=1)
def espeak() -> Espeak:
    """The only one of the process: a second one crashes it."""
    return Espeak()


def clip(library: Espeak, text: str, voice: str, rng: random.Random) -> Clip | None:
    """One sentence with random tempo and pitch."""
    names = phones.syllables(text)
    if not names:
        return None
    try:
        labels, starts = [], []
        for one in names:
            starts.append(len(labels))
            labels += phones.indices([one])
    except KeyError:
        return None
    samples = trim(library.say(text, voice, rng.randint(120, 230), rng.randint(20, 80), rng.randint(30, 80)))
    if len(samples) < RATE_HZ * 0.03 * len(labels):
        return None
    return Clip(samples, labels, starts, f"espeak_{voice}", "espeak", text)


def load(root: Path, cache: Path, count: int, seed: int, words: list[str]) -> list[Clip]:
    """`count` sentences by the voices that are not held out; made once and kept in `cache`."""
    if cache.exists():
        with cache.open("rb") as file:
            return pickle.load(file)
    rng = random.Random(seed)
    library = espeak()
    names, examples = sentences.surnames(root), sentences.examples(root)
    voices = [voice for voice in VOICES if voice not in HELD_OUT_VOICES]
    clips: list[Clip] = []
    while len(clips) < count:
        kind = rng.random()
        if kind < 0.3:
            text = sentences.digit_string(rng, 2, 11)
        elif kind < 0.65:
            text = sentences.order(rng, names)
        elif kind < 0.85:
            text = rng.choice(examples)
        else:
            text = "".join(rng.choice(words) for _ in range(rng.randint(1, 4)))
        made = clip(library, text, rng.choice(voices), rng)
        if made is not None:
            clips.append(made)
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.open("wb") as file:
        pickle.dump(clips, file, protocol=5)
    return clips
