"""What lies between a mouth and the bank, for many voices at once: `acoustic.telephone` as operations on a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

RATE_HZ: Final = 8000
ROOM_SAMPLES: Final = 3600
PACKET: Final = 160
FULL_SCALE: Final = 32768.0
_KNOTS_HZ: Final = np.array([0, 250, 500, 900, 1500, 2200, 3000, 4000])


@dataclass(frozen=True, slots=True)
class Chances:
    """How often a call is what."""

    straight: float = 0.25  # the codec and nothing else
    band: float = 0.6
    room: float = 0.45
    noise: float = 0.85
    snr_min_db: float = 7.0
    snr_max_db: float = 38.0
    lost: float = 0.08  # packets


class Line:
    """Backgrounds (kinds, samples) of unit power, and the lines calls come through."""

    def __init__(self, backgrounds: Tensor, chances: Chances | None = None) -> None:
        self._backgrounds, self._chances = backgrounds, chances or Chances()
        self._curves = dict[int, tuple[Tensor, Tensor]]()

    def through(self, waves: Tensor, chance: torch.Generator) -> Tensor:
        """(batch, samples) on any scale -> the same as it arrives, full scale 1, after G.711."""
        of, (count, samples) = self._chances, waves.shape
        draw = _Draw(chance, waves.device, count)
        disturbed = ~draw.happens(of.straight)
        size = next_fast_len(samples + ROOM_SAMPLES, real=True)
        spectrum = torch.fft.rfft(waves, size) * self._gains(draw, size, disturbed)
        spectrum = spectrum * torch.fft.rfft(_room(draw, draw.happens(of.room) & disturbed), size)
        heard = torch.fft.irfft(spectrum, size)[:, :samples]
        heard = heard / (heard.square().mean(1, keepdim=True).sqrt() + 1e-3)
        quieter = 10 ** (-draw.between(of.snr_min_db, of.snr_max_db) / 20)
        noisy = draw.happens(of.noise) & disturbed
        heard = heard + self._noise(draw, samples) * torch.where(noisy, quieter, 0.0)[:, None]
        heard = heard * 10 ** draw.between(2.0, 3.75)[:, None] / FULL_SCALE
        lost = draw.happens(of.lost) & disturbed
        heard = torch.where(_gap(draw, samples) & lost[:, None], 0.0, heard)
        kind = draw.between(0.0, 1.0)[:, None]
        linear = torch.clamp(heard, -1.0, 1.0)
        return torch.where(kind < 0.45, mu_law(linear), torch.where(kind < 0.85, a_law(linear), linear))

    def _gains(self, draw: _Draw, size: int, disturbed: Tensor) -> Tensor:
        """(batch, bins) of microphone and line: a smooth random curve, often a telephone band."""
        if size not in self._curves:
            self._curves[size] = _curve(size, self._backgrounds.device)
        smooth, hz = self._curves[size]
        tilt = torch.from_numpy(_KNOTS_HZ / 2000 - 1).float().to(hz.device)
        knots = draw.normal(len(_KNOTS_HZ)) * 3.5 + draw.normal(1) * 3.0 * tilt
        curve = knots @ smooth
        low, high = draw.between(100, 350)[:, None], draw.between(3200, 3900)[:, None]
        band = -10 * torch.log10(1 + (low / hz.clamp(min=1.0)) ** 6)
        band = band - 10 * torch.log10(1 + (hz / high) ** 24)
        curve = curve + torch.where(draw.happens(self._chances.band)[:, None], band, 0.0)
        return torch.where(disturbed[:, None], 10 ** (curve.clamp(min=-60.0) / 20), 1.0)

    def _noise(self, draw: _Draw, samples: int) -> Tensor:
        """(batch, samples), each from some place of some background."""
        kinds, span = self._backgrounds.shape
        kind = (draw.between(0, kinds)).long().clamp(max=kinds - 1)
        start = draw.between(0, span).long()
        at = (start[:, None] + torch.arange(samples, device=start.device)) % span
        return self._backgrounds.reshape(-1)[kind[:, None] * span + at].float()


class _Draw:
    """Numbers by chance, one a row."""

    def __init__(self, chance: torch.Generator, device: torch.device, count: int) -> None:
        self._chance, self._device, self.count = chance, device, count

    def between(self, low: float, high: float) -> Tensor:
        return torch.rand(self.count, generator=self._chance, device=self._device) * (high - low) + low

    def normal(self, size: int) -> Tensor:
        return torch.randn(self.count, size, generator=self._chance, device=self._device)

    def happens(self, share: float) -> Tensor:
        return self.between(0.0, 1.0) < share


def _curve(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What turns levels at the knots into levels of the bins, (knots, bins), and the bins' frequencies."""
    hz = np.linspace(0, RATE_HZ / 2, size // 2 + 1)
    smooth = np.stack([np.interp(hz, _KNOTS_HZ, row) for row in np.eye(len(_KNOTS_HZ))])
    return torch.from_numpy(smooth).float().to(device), torch.from_numpy(hz).float().to(device)


def _room(draw: _Draw, there: Tensor) -> Tensor:
    """(batch, ROOM_SAMPLES): the direct sound, and echoes that die away."""
    time = torch.arange(ROOM_SAMPLES, device=there.device)
    reach = draw.between(0.05, 0.45)[:, None] * RATE_HZ
    tail = draw.normal(ROOM_SAMPLES) * torch.exp(-6.9 * time / reach) * (time < reach) * (time >= 16)
    tail = tail / (tail.square().sum(1, keepdim=True).sqrt() + 1e-9)
    tail = tail * torch.where(there, draw.between(0.05, 0.7), 0.0)[:, None]
    tail[:, 0] = 1.0
    return tail


def _gap(draw: _Draw, samples: int) -> Tensor:
    """(batch, samples), up to three packets."""
    time = torch.arange(samples, device=draw.between(0, 1).device)
    found = torch.zeros(draw.count, samples, dtype=torch.bool, device=time.device)
    for share in (1.0, 0.67, 0.33):
        at = draw.between(0, max(1, samples - PACKET))[:, None]
        found = found | ((time >= at) & (time < at + PACKET) & draw.happens(share)[:, None])
    return found


def mu_law(wave: Tensor) -> Tensor:
    """Through mu-law and back; full scale 1."""
    code = torch.round(torch.sign(wave) * torch.log1p(255 * wave.abs()) / math.log(256) * 127)
    return torch.sign(code) * torch.expm1(code.abs() / 127 * math.log(256)) / 255


def a_law(wave: Tensor) -> Tensor:
    """Through A-law and back; full scale 1."""
    size, base = wave.abs(), 1 + math.log(87.6)
    curve = torch.where(
        size < 1 / 87.6, 87.6 * size / base, (1 + torch.log((87.6 * size).clamp(min=1e-9))) / base
    )
    code = torch.round(curve * 127) / 127
    back = torch.where(code < 1 / base, code * base / 87.6, torch.exp(code * base - 1) / 87.6)
    return torch.sign(wave) * back
