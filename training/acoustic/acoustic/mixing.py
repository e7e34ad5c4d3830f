"""Makes one training utterance after the other: recordings joined to sentences, in changed voices, over a telephone."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from acoustic import features, phones, sentences, telephone
from acoustic.corpus import RATE_HZ, Clip
from acoustic.voices import Voices

_NUMERALS: Final = "零一二三四五六七八九十百千万两"
SECONDS_MAX: Final = 6.0
LEADS: Final = (5, 19)  # frames of 10 ms left before what is loud in a joined syllable


@dataclass(slots=True)
class Utterance:
    """`powers` (time, bins) at 100 a second; `words` are phone numbers by word; `aligned` one phone a frame.

    `warp` (a logarithm) is what moves the formants; every time it is heard they are moved a little otherwise.
    """

    powers: np.ndarray
    words: list[list[int]]
    aligned: np.ndarray
    warp: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """How often each kind of utterance is made."""

    digits: float = 0.29
    orders: float = 0.13
    words: float = 0.13
    syllables: float = 0.05
    students: float = 0.15
    sentences: float = 0.10
    espeak: float = 0.13
    silence: float = 0.02


WIDE: Final = Recipe()
GENTLE: Final = Recipe(0.35, 0.1, 0.11, 0.04, 0.22, 0.09, 0.07, 0.02)


@dataclass(frozen=True, slots=True)
class Change:
    """How far a voice is changed: `speed` and `warp` (of formants) are logarithms, `snr_db` the loudest noise.

    `other_voice` is how often a voice is mapped towards others.
    """

    speed: float = 0.24
    warp: float = 0.16
    snr_db: float = 4.0
    other_voice: float = 0.5


FAR: Final = Change()
NEAR: Final = Change(0.2, 0.12, 6.0)


def words_of(clip: Clip) -> list[list[int]]:
    """The labels of a clip, cut where words (in Chinese: syllables) start."""
    ends = [*clip.starts[1:], len(clip.labels)]
    return [clip.labels[start:end] for start, end in zip(clip.starts, ends, strict=True)]


class Mixer:
    """`make(seed)` is the same utterance for the same seed and clips."""

    def __init__(
        self,
        clips: list[Clip],
        root: Path,
        recipe: Recipe | None = None,
        change: Change | None = None,
        voices: Voices | None = None,
    ) -> None:
        self.recipe, self.change, self.voices = recipe or Recipe(), change or Change(), voices
        self._surnames, self._examples = sentences.surnames(root), sentences.examples(root)
        self._by_kind: dict[str, list[Clip]] = defaultdict(list)
        self._by_syllable: dict[str, dict[tuple[int, ...], list[Clip]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._by_student: dict[str, list[Clip]] = defaultdict(list)
        self._hsk: dict[str, Clip] = {}
        for clip in clips:
            if clip.kind == "english" and len(clip.samples) > SECONDS_MAX * RATE_HZ:
                continue
            self._by_kind[clip.kind].append(clip)
            if clip.kind == "syllables" or (clip.kind == "hsk" and len(clip.starts) == 1):
                self._by_syllable[clip.speaker][tuple(clip.labels)].append(clip)
            if clip.kind == "hsk":
                self._hsk[clip.text] = clip
            if clip.kind == "words":
                self._by_student[clip.speaker].append(clip)
        self._voices = sorted(self._by_syllable)
        self._students = sorted(self._by_student)
        self._numeric = [
            clip for clip in self._by_kind["sentences"] if sum(map(_NUMERALS.count, clip.text)) > 1
        ]
        rng = np.random.default_rng(5)
        voices = [clip.samples[::2] for clip in self._by_kind["words"][::7] + self._by_kind["sentences"][::5]]
        self._backgrounds = telephone.noises(rng, voices or [rng.standard_normal(8000)])

    def make(self, seed: tuple[int, ...], *, english: bool = False) -> Utterance:
        """One utterance."""
        rng = np.random.default_rng(list(seed))
        choice = random.Random(int(rng.integers(1 << 60)))
        picked, joined = ([choice.choice(self._by_kind["english"])], False) if english else self._pick(choice)
        return self._render(picked, joined, rng)

    def _pick(self, choice: random.Random) -> tuple[list[Clip], bool]:
        """Clips in order, and whether they are syllables to be run together."""
        kinds = list(Recipe.__slots__)
        kind = choice.choices(kinds, [getattr(self.recipe, name) for name in kinds])[0]
        if kind == "digits":
            text = sentences.digit_string(choice, 1, 1 if choice.random() < 0.25 else 10)
            return self._spoken(text, choice), len(text) > 1 or choice.random() < 0.5
        if kind == "orders":
            text = (
                sentences.order(choice, self._surnames)
                if choice.random() < 0.7
                else choice.choice(self._examples)
            )
            return self._spoken(text[:16], choice), True
        if kind == "syllables":
            table = self._by_syllable[choice.choice(self._voices)]
            names = list(table)
            return [choice.choice(table[choice.choice(names)]) for _ in range(choice.randint(1, 5))], True
        if kind == "words":
            return choice.choices(self._by_kind["hsk"], k=choice.randint(1, 4)), False
        if kind == "students":
            own = self._by_student[choice.choice(self._students)]
            return choice.choices(own, k=choice.choice((1, 1, 2, 3, 4))), False
        if kind == "silence":
            return [], False
        if kind == "sentences":
            pool = self._numeric if choice.random() < 0.4 and self._numeric else self._by_kind["sentences"]
            return [choice.choice(pool)], False
        return [choice.choice(self._by_kind["espeak"])], False

    def _spoken(self, text: str, choice: random.Random) -> list[Clip]:
        """`text` from the syllables of one voice; the one with words uses its words where they fit."""
        voice = choice.choice(self._voices)
        table, whole, picked, at = self._by_syllable[voice], voice == "tan", [], 0
        while at < len(text):
            for length in (4, 3, 2) if whole and choice.random() < 0.8 else ():
                word = self._hsk.get(text[at : at + length])
                if word is not None and len(word.text) == length:
                    picked.append(word)
                    at += length
                    break
            else:
                found = table.get(_numbers(text[at]))
                if found:
                    exact = [one for one in found if one.text == text[at]]
                    picked.append(
                        choice.choice(exact) if exact and choice.random() < 0.5 else choice.choice(found)
                    )
                at += 1
        return picked or [choice.choice(self._by_kind["hsk"])]

    def _render(self, picked: list[Clip], joined: bool, rng: np.random.Generator) -> Utterance:
        speed = float(np.exp(rng.uniform(-self.change.speed, self.change.speed)))
        hop = int(rng.integers(66, 104)) if not joined else int(rng.integers(74, 132))
        track = _Track()
        words: list[list[int]] = []
        marks: list[tuple[int, int, list[list[int]]]] = []
        track.add(_quiet(rng, 0.08, 0.7))
        tight = float(rng.uniform(0, 1))
        for clip in picked:
            wave = features.downsampled(clip.samples, RATE_HZ * speed)
            if joined:
                wave = _tighten(wave, 16 + 14 * (1 - tight), int(rng.integers(*LEADS)))
            wave = wave / (np.sqrt((wave**2).mean()) + 1.0) * float(10 ** (rng.normal(0, 2.0) / 20))
            overlap = 0
            if words and joined and rng.random() < 0.85:
                overlap = int(rng.uniform(0, 0.05) * features.RATE_HZ)
            elif words:
                track.add(_quiet(rng, 0.0, 0.15 if joined else 0.35))
            start = track.add(wave, overlap)
            marks.append((start, track.length, words_of(clip)))
            words += words_of(clip)
            if track.length > SECONDS_MAX * features.RATE_HZ:
                break
        track.add(_quiet(rng, 0.08, 0.7))
        wave = telephone.through(track.wave(), rng, self._backgrounds, self.change.snr_db)
        powers = features.spectra(wave, hop)
        speaker = picked[0].speaker if picked else ""
        return Utterance(
            powers, words, _aligned(marks, len(powers), hop), -0.35 * float(np.log(speed)), speaker
        )

    def hear(self, one: Utterance, rng: np.random.Generator) -> np.ndarray:
        """(time, BINS) of an utterance, its formants moved and its voice changed anew."""
        warp = float(np.exp(one.warp + rng.uniform(-self.change.warp, self.change.warp)))
        frames = features.cepstra(one.powers, round(min(max(warp, 0.8), 1.25), 2))
        if self.voices is not None and rng.random() < self.change.other_voice:
            frames = self.voices.change(frames, one.speaker, rng)
        return frames


class _Track:
    """Sounds one after the other, some overlapping the one before."""

    def __init__(self) -> None:
        self._pieces: list[np.ndarray] = []
        self.length = 0

    def add(self, samples: np.ndarray, overlap: int = 0) -> int:
        """Appends; gives where it starts."""
        before = self._pieces[-1] if self._pieces else samples[:0]
        overlap = min(overlap, len(before), len(samples))
        start = self.length - overlap
        if overlap:
            ramp = np.linspace(0, 1, overlap, dtype=np.float32)
            before[-overlap:] = before[-overlap:] * (1 - ramp) + samples[:overlap] * ramp
            samples = samples[overlap:]
        self._pieces.append(samples)
        self.length += len(samples)
        return start

    def wave(self) -> np.ndarray:
        """All of it."""
        return np.concatenate(self._pieces)


def _quiet(rng: np.random.Generator, least_s: float, most_s: float) -> np.ndarray:
    return np.zeros(int(rng.uniform(least_s, most_s) * features.RATE_HZ), np.float32)


def _numbers(char: str) -> tuple[int, ...]:
    """The phones of one character, or none where it has no reading known here."""
    names = phones.syllables(char)
    try:
        return tuple(phones.indices(names)) if names else ()
    except KeyError:
        return ()


def _tighten(wave: np.ndarray, floor_db: float, lead: int = 14) -> np.ndarray:
    """Cuts the quiet tail (and a little of the head) of a syllable spoken by itself."""
    count = len(wave) // 80
    if count < 8:
        return wave
    level = 10 * np.log10((wave[: count * 80].reshape(count, 80) ** 2).mean(axis=1) + 1.0)
    loud = np.flatnonzero(level > level.max() - floor_db)
    start = max(0, int(loud[0]) - lead) * 80  # a consonant is quiet: leave room before the vowel
    return wave[start : (int(loud[-1]) + 2) * 80]


def _aligned(marks: list[tuple[int, int, list[list[int]]]], count: int, hop: int) -> np.ndarray:
    """A phone a frame: uniform within each clip, an initial taking half as long as a final."""
    aligned = np.zeros(count, np.int64)
    for start, end, words in marks:
        labels = [label for word in words for label in word]
        weights = np.array([1.0 if label <= len(phones.INITIALS) else 2.0 for label in labels])
        edges = start + (end - start) * np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
        bounds = np.clip((edges / hop).astype(int), 0, count)
        for label, left, right in zip(labels, bounds[:-1], bounds[1:], strict=True):
            aligned[left:right] = label
    return aligned
