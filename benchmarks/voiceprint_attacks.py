"""How attacks on a voiceprint fare: `python -m benchmarks.voiceprint_attacks --speech FOLDER` prints a table.

FOLDER holds `manifest.jsonl` with readers of speechocean762. Only those are used whom the bundled encoder has never
heard. Each enrols with three sentences and has attempted twice before; the fingerprints of all five are kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from bot.channels.phone.audio import codec
from bot.channels.phone.errors import NoSpeech
from bot.channels.phone.speaking.espeak import synthesise
from bot.channels.phone.voiceprint import replay
from bot.channels.phone.voiceprint.listener import Voiceprint
from bot.channels.phone.voiceprint.scoring import Tier
from bot.channels.phone.voiceprint.template import Template, averaged
from bot.evaluation.hearing import telephone_pcm

RATE_HZ: Final = 8000
EVERY: Final = 10  # the training keeps every tenth reader for the report
ENROLLED, FORMER, NEW = slice(0, 3), slice(3, 5), slice(6, 10)
TIER: Final[Tier] = "medium"
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
DIGITS: Final = "三七二零九五一八，四六零二一九七三"
Wave = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Victim:
    """Someone with a voiceprint, their recordings on the telephone, and somebody else's."""

    template: Template
    formers: list[bytes]
    own: list[Wave]
    other: list[Wave]


@dataclass(slots=True)
class Count:
    """What became of `tries`."""

    tries: int = 0
    bad_quality: int = 0
    voice_accepted: int = 0
    replay_found: int = 0
    passed: int = 0


def coded(wave: Wave, name: Any = "PCMU") -> NDArray[np.int16]:
    """Out of a telephone."""
    way = codec(name)
    pcm = np.clip(np.rint(wave), -32768, 32767).astype("<i2").tobytes()
    return np.frombuffer(way.decode(way.encode(pcm)), "<i2")


def _loudspeaker(wave: Wave, rng: np.random.Generator) -> Wave:
    """Played into the receiver: a small speaker's band, a room, some noise."""
    heard = sosfilt(butter(2, [400, 3000], "bandpass", fs=RATE_HZ, output="sos"), wave)
    tail = rng.standard_normal(1600) * np.exp(-np.arange(1600) / 350) * 0.04
    tail[0] = 1.0
    heard = fftconvolve(heard, tail)[53 : 53 + len(wave)]
    return np.asarray(heard + rng.standard_normal(len(wave)) * heard.std() * 0.05)


def _pieces(waves: list[Wave], rng: np.random.Generator) -> Wave:
    """Half-seconds of former recordings in another order, about four seconds."""
    cut = [wave[at : at + 4000] for wave in waves for at in range(2000, len(wave) - 4000, 4000)]
    return np.concatenate([cut[at] for at in rng.permutation(len(cut))[:8]])


def _music(rng: np.random.Generator) -> Wave:
    time, wave = np.arange(4 * RATE_HZ) / RATE_HZ, np.zeros(4 * RATE_HZ)
    for beat in range(8):
        since = time - beat / 2
        on = since >= 0
        for tone in rng.choice([220, 262, 330, 392, 440, 523], 3, replace=False):
            wave[on] += np.sin(2 * np.pi * tone * since[on]) * np.exp(-3 * since[on])
    return np.asarray(wave / np.abs(wave).max() * 9000)


def _machine(victim: Victim, listener: Voiceprint) -> Wave:
    """Of espeak's voice at several pitches, the one most like the victim's."""
    made = np.frombuffer(synthesise(DIGITS, 0.9), "<i2").astype(np.float64)
    voices = [resample_poly(made, 100, percent) for percent in (75, 85, 95, 105, 115, 125, 135)]
    return max(
        voices, key=lambda one: float(listener.embed(coded(one), RATE_HZ).vector @ victim.template.vector)
    )


Attack = Callable[[Victim, np.random.Generator, Voiceprint], list[NDArray[np.int16]]]
ATTACKS: Final[dict[str, Attack]] = {
    "the customer, speaking anew": lambda v, r, e: [coded(one) for one in v.own[NEW]],
    "another speaker": lambda v, r, e: [coded(one) for one in v.other[NEW]],
    "old recording, exact": lambda v, r, e: [coded(one) for one in v.own[FORMER]],
    "old recording, quieter, other codec": lambda v, r, e: [
        coded(one[99:] * 0.4, "PCMA") for one in v.own[FORMER]
    ],
    "old recording, 6 % faster": lambda v, r, e: [
        coded(resample_poly(one, 100, 106)) for one in v.own[FORMER]
    ],
    "old recording, 6 % slower": lambda v, r, e: [
        coded(resample_poly(one, 100, 94)) for one in v.own[FORMER]
    ],
    "old recording, 10.5 % faster": lambda v, r, e: [
        coded(resample_poly(one, 200, 221)) for one in v.own[FORMER]
    ],
    "old recording, 20 % slower": lambda v, r, e: [
        coded(resample_poly(one, 100, 80)) for one in v.own[FORMER]
    ],
    "old recording by loudspeaker": lambda v, r, e: [coded(_loudspeaker(one, r)) for one in v.own[FORMER]],
    "cut and pasted from old recordings": lambda v, r, e: [coded(_pieces(v.own[0:5], r))],
    "cut and pasted, by loudspeaker": lambda v, r, e: [coded(_loudspeaker(_pieces(v.own[0:5], r), r))],
    "unknown recording of the customer": lambda v, r, e: [coded(_loudspeaker(one, r)) for one in v.own[NEW]],
    "synthetic voice, best of seven": lambda v, r, e: [coded(_machine(v, e))],
    "two people, one after the other": lambda v, r, e: [coded(np.concatenate([v.own[6], v.other[6]]))],
    "two people at once": lambda v, r, e: [coded(_together(v.own[6], v.other[6]))],
    "silence": lambda v, r, e: [coded(r.standard_normal(4 * RATE_HZ) * 4)],
    "music": lambda v, r, e: [coded(_music(r))],
    "noise": lambda v, r, e: [coded(r.standard_normal(4 * RATE_HZ) * 3000)],
}


def _together(left: Wave, right: Wave) -> Wave:
    size = min(len(left), len(right))
    return np.asarray((left[:size] + right[:size]) / 2)


def _waves(folder: Path, paths: list[str]) -> list[Wave]:
    return [
        np.frombuffer(telephone_pcm(folder / path, RATE_HZ, "none"), "<i2").astype(np.float64)
        for path in paths
    ]


def victims(folder: Path, listener: Voiceprint) -> list[Victim]:
    """One of each reader of the report, with the next as the other."""
    found: dict[str, list[str]] = {}
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["set"] == "speechocean762":
            found.setdefault(entry["speaker"], []).append(entry["path"])
    waves = [_waves(folder, found[who]) for who in sorted(found)[::EVERY]]
    made = []
    for at, own in enumerate(waves):
        enrolled = [listener.embed(coded(one), RATE_HZ) for one in own[ENROLLED]]
        formers = [replay.fingerprint(coded(one), RATE_HZ) for one in own[0:5]]
        made.append(Victim(averaged(enrolled, NOW), formers, own, waves[(at + 1) % len(waves)]))
    return made


def judge(pcm: NDArray[np.int16], victim: Victim, listener: Voiceprint, count: Count) -> None:
    """As a verification does: quality, then voice, then whether it was heard before."""
    count.tries += 1
    good = listener.quality(pcm, RATE_HZ).good
    try:
        accepted = listener.score(victim.template, listener.embed(pcm, RATE_HZ), NOW).accepted_at(TIER)
    except NoSpeech:
        accepted = False
    found = replay.find(pcm, RATE_HZ, victim.formers).found
    count.bad_quality += not good
    count.voice_accepted += accepted
    count.replay_found += found
    count.passed += good and accepted and not found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    folder = parser.parse_args().speech
    listener, rng = Voiceprint.load(), np.random.default_rng(1)
    everybody = victims(folder, listener)
    print(
        "| what is tried | tries | quality refuses | voice accepts | fingerprint finds | passes all three |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, attack in ATTACKS.items():
        count = Count()
        for victim in everybody:
            for pcm in attack(victim, rng, listener):
                judge(pcm, victim, listener, count)
        shares = [
            f"{100 * part / count.tries:.0f} %"
            for part in (count.bad_quality, count.voice_accepted, count.replay_found, count.passed)
        ]
        print(f"| {name} | {count.tries} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main()
