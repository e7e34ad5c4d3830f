"""How a password of eight digits fares: `python -m benchmarks.voiceprint_content --speech FOLDER` prints a table.

FOLDER holds `manifest.jsonl` with single syllables of three real voices (all were heard by the bundled model in the
end). Passwords are joined from them, or said by variants of the command `espeak-ng`; each is held against itself and
200 others.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from banking_core.configuration import Terms
from banking_core.voiceprints.prompts import random_digits
from bot.channels.phone.audio import codec
from bot.channels.phone.hearing.choosing import whole
from bot.channels.phone.hearing.content import ONLY_DIGITS, content_llr
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.hearing.recogniser import Decoder
from bot.channels.phone.hearing.spelling import Spelling

RATE_HZ: Final = 8000
PASSWORDS: Final = 40
OTHERS: Final = 200
CHARS: Final = "零一二三四五六七八九"
SYLLABLES: Final = "ling2 yi1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3".split()
Wave = NDArray[np.float64]
Voice = Callable[[str, random.Random], Wave]


def _syllables(folder: Path) -> dict[str, dict[str, Wave]]:
    """By speaker and digit, 8 kHz."""
    found: dict[str, dict[str, Wave]] = defaultdict(dict)
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        text = entry["text"]
        digit = SYLLABLES.index(text) if text in SYLLABLES else CHARS.find(text) if len(text) == 1 else -1
        if entry["lang"] == "zh" and digit >= 0:
            samples, _ = soundfile.read(folder / entry["path"], dtype="int16")
            found[entry["speaker"]].setdefault(
                str(digit), _trimmed(resample_poly(samples.astype(float), 1, 2))
            )
    return {speaker: digits for speaker, digits in found.items() if len(digits) == len(CHARS)}


def _trimmed(wave: Wave) -> Wave:
    level = np.convolve(np.abs(wave), np.ones(160) / 160, "same")
    loud = np.flatnonzero(level > level.max() * 0.03)
    return wave[max(0, loud[0] - 800) : loud[-1] + 400]


def _joined(digits: dict[str, Wave], speed: float = 1.0, snr_db: float | None = None) -> Voice:
    def say(asked: str, rng: random.Random) -> Wave:
        parts = [np.zeros(2400)]
        for at, digit in enumerate(asked):
            parts += [digits[digit], np.zeros(int(rng.uniform(0, 0.08) * RATE_HZ) + (2400 if at == 3 else 0))]
        wave = np.concatenate([*parts, np.zeros(3200)])
        if speed != 1.0:
            wave = resample_poly(wave, 100, round(100 * speed))
        wave *= 3000 / (np.sqrt((wave**2).mean()) + 1.0)
        if snr_db is not None:
            noise = np.random.default_rng(rng.randrange(1 << 30)).normal(0, 1, len(wave))
            wave = wave + noise * 3000 * 10 ** (-snr_db / 20)
        return wave

    return say


def _synthetic(variant: str) -> Voice:
    def say(asked: str, rng: random.Random) -> Wave:
        pinyin = " ".join(SYLLABLES[int(digit)] for digit in asked[:4]) + ", "
        pinyin += " ".join(SYLLABLES[int(digit)] for digit in asked[4:])
        made = subprocess.run(
            [
                "espeak-ng",
                "-v",
                f"cmn-latn-pinyin+{variant}",
                "-s",
                str(rng.randint(150, 190)),
                "--stdout",
                pinyin,
            ],
            check=True,
            capture_output=True,
        ).stdout
        samples, rate_hz = soundfile.read(io.BytesIO(made), dtype="int16")
        wave = resample_poly(samples.astype(float), RATE_HZ, rate_hz)
        return np.concatenate([np.zeros(2400), wave, np.zeros(3200)])

    return say


def _row(name: str, voices: list[Voice], rng: random.Random, least: float) -> str:
    loaded = load()
    decoder, line = Decoder(loaded, Spelling(loaded.knows)), codec("PCMU")
    decoder.use(ONLY_DIGITS)
    right = passed = others = 0
    for at in range(PASSWORDS):
        asked = random_digits(rng.randrange)
        wave = voices[at % len(voices)](asked, rng)
        pcm = np.clip(np.rint(wave), -32768, 32767).astype("<i2").tobytes()
        decoder.feed(line.decode(line.encode(pcm)))
        readings = whole(decoder.parts())
        passed += content_llr(asked, readings) >= least
        others += sum(content_llr(random_digits(rng.randrange), readings) >= least for _ in range(OTHERS))
        right += _agreed(asked, readings[0].words if readings else ())
    shares = right / PASSWORDS / 8, passed / PASSWORDS
    return f"| {name} | {shares[0]:.1%} | {shares[1]:.0%} | {others / PASSWORDS / OTHERS:.2%} |"


def _agreed(asked: str, words: tuple[str, ...]) -> int:
    """How many digits are heard in their order."""
    heard = "".join(str(CHARS.find(word.replace("幺", "一"))) for word in words if word in CHARS + "幺")
    row = [0] * (len(heard) + 1)
    for want in asked:
        before, row = row, [0]
        for place, got in enumerate(heard):
            row.append(max(before[place] + (want == got), before[place + 1], row[-1]))
    return row[-1]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    real = _syllables(parser.parse_args().speech)
    least = float(Terms.load().number("voiceprint.content_llr"))
    rng = random.Random(1)
    print("| voices | digits right | passes at once | others pass |\n| --- | --- | --- | --- |")
    print(_row(f"{len(real)} real ones as they are", [_joined(one) for one in real.values()], rng, least))
    print(_row("a fifth faster", [_joined(one, 1.2) for one in real.values()], rng, least))
    print(_row("with noise at 8 dB", [_joined(one, 1.0, 8.0) for one in real.values()], rng, least))
    variants = ("f2", "f4", "m1", "m4", "m7")
    print(_row("synthetic, five variants", [_synthetic(one) for one in variants], rng, least))


if __name__ == "__main__":
    main()
