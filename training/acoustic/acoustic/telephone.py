"""What lies between a mouth and the recogniser: room, microphone, band, noise, level, G.711, lost packets."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter

RATE_HZ: Final = 8000
_NOISE_S: Final = 20


def noises(rng: np.random.Generator, voices: list[np.ndarray]) -> list[np.ndarray]:
    """Stationary and babbling backgrounds, 20 s each, of unit power. `voices` are 8 kHz samples."""
    length = _NOISE_S * RATE_HZ
    made = []
    for tilt in (0.0, 0.0, 0.5, 0.9, 0.95, 0.98):
        made.append(lfilter([1.0], [1.0, -tilt], rng.standard_normal(length)))
    for _ in range(4):  # hum and its overtones
        base = rng.choice([50.0, 60.0, 100.0, 120.0]) * np.arange(1, 8)
        time = np.arange(length) / RATE_HZ
        hum = sum(rng.random() * np.sin(2 * np.pi * f * time + rng.random() * 6) for f in base)
        made.append(hum + 0.2 * rng.standard_normal(length))
    for _ in range(10):
        babble = np.zeros(length)
        for _ in range(int(rng.integers(30, 160))):
            voice = voices[int(rng.integers(len(voices)))].astype(np.float64)
            voice = voice[: length // 4]
            at = int(rng.integers(0, length - len(voice)))
            babble[at : at + len(voice)] += voice * rng.uniform(0.2, 1.0)
        made.append(babble + 0.01 * babble.std() * rng.standard_normal(length))
    return [(one / (one.std() + 1e-9)).astype(np.float32) for one in made]


def mu_law(wave: np.ndarray) -> np.ndarray:
    """Through mu-law and back, as steps of the curve (int16 scale)."""
    x = np.clip(wave / 32768.0, -1, 1)
    code = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * 127)
    return np.sign(code) * (np.expm1(np.abs(code) / 127 * np.log(256)) / 255) * 32768.0


def a_law(wave: np.ndarray) -> np.ndarray:
    """Through A-law and back, as steps of the curve (int16 scale)."""
    x = np.clip(wave / 32768.0, -1, 1)
    size, base = np.abs(x), 1 + np.log(87.6)
    curve = np.where(size < 1 / 87.6, 87.6 * size / base, (1 + np.log(np.maximum(87.6 * size, 1e-9))) / base)
    code = np.round(curve * 127) / 127
    back = np.where(code < 1 / base, code * base / 87.6, np.exp(code * base - 1) / 87.6)
    return np.sign(x) * back * 32768.0


def _response(rng: np.random.Generator, size: int) -> np.ndarray:
    """Of microphone and line: a smooth random curve, often a telephone band."""
    hz = np.linspace(0, RATE_HZ / 2, 257)
    knots = np.array([0, 250, 500, 900, 1500, 2200, 3000, 4000])
    curve = np.interp(hz, knots, rng.normal(0, 3.5, len(knots)) + rng.normal(0, 3) * (knots / 2000 - 1))
    if rng.random() < 0.6:
        low, high = rng.uniform(100, 350), rng.uniform(3200, 3900)
        curve = curve - 20 * np.log10(np.sqrt(1 + (low / np.maximum(hz, 1.0)) ** 6))
        curve = curve - 20 * np.log10(np.sqrt(1 + (hz / high) ** 24))
    gains = 10 ** (np.maximum(curve, -60) / 20)
    return np.interp(np.linspace(0, 256, size // 2 + 1), np.arange(257), gains).astype(np.float32)


def _room(rng: np.random.Generator) -> np.ndarray:
    reach = rng.uniform(0.05, 0.45)
    length = int(reach * RATE_HZ)
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail[: int(0.002 * RATE_HZ)] = 0
    tail *= rng.uniform(0.05, 0.7) / (np.sqrt((tail**2).sum()) + 1e-9)
    tail[0] = 1.0
    return tail.astype(np.float32)


def through(
    wave: np.ndarray, rng: np.random.Generator, backgrounds: list[np.ndarray], snr_db: float = 4.0
) -> np.ndarray:
    """`wave` (int16 scale, 8 kHz) as it arrives; noise at `snr_db` or less."""
    size = next_fast_len(len(wave) + 4000, real=True)
    spectrum = rfft(wave.astype(np.float32), size) * _response(rng, size)
    if rng.random() < 0.45:
        spectrum = spectrum * rfft(_room(rng), size)
    heard = irfft(spectrum, size)[: len(wave)]
    power = np.sqrt((heard**2).mean()) + 1e-3
    heard = heard / power
    if rng.random() < 0.85:
        noise = backgrounds[int(rng.integers(len(backgrounds)))]
        at = int(rng.integers(0, max(1, len(noise) - len(heard))))
        piece = np.resize(noise[at : at + len(heard)], len(heard))
        heard = heard + piece * 10 ** (-rng.uniform(snr_db, 38) / 20)
    heard = heard * 10 ** (rng.uniform(2.0, 3.75))  # from a whisper to a shout into the line
    if rng.random() < 0.08:  # packets lost
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(0, max(1, len(heard) - 160)))
            heard[at : at + 160] = 0.0
    law = rng.random()
    if law < 0.45:
        return mu_law(heard)
    return a_law(heard) if law < 0.8 else np.clip(np.round(heard), -32768, 32767)
