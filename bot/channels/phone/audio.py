"""Telephone audio. Inside there is one format: 8 kHz, signed 16-bit little-endian, mono, in frames of 20 ms."""

from __future__ import annotations

from typing import Final, Literal

from aiortp.codecs import Codec, PcmaCodec, PcmuCodec

SAMPLE_RATE_HZ: Final = 8000
FRAME_MS: Final = 20
FRAME_S: Final = FRAME_MS / 1000
FRAME_BYTES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000 * 2
SILENCE: Final = bytes(FRAME_BYTES)

CodecName = Literal["PCMU", "PCMA"]
_FLIP_SIGN: Final = bytes(byte ^ 0x80 for byte in range(256))


class _Pcma(PcmaCodec):
    """A-law with the sign bit of G.711: set means positive. The library (0.8.0) has it the other way round."""

    def encode(self, pcm: bytes) -> bytes:
        return super().encode(pcm).translate(_FLIP_SIGN)

    def decode(self, payload: bytes) -> bytes:
        return super().decode(payload.translate(_FLIP_SIGN))


_CODECS: Final[dict[CodecName, Codec]] = {"PCMU": PcmuCodec(), "PCMA": _Pcma()}  # tables only: shared


def codec(name: CodecName) -> Codec:
    """G.711 by its RTP name: `encode(pcm)` gives one byte per sample, `decode` the samples."""
    return _CODECS[name]


class Framer:
    """Cuts audio of any length into whole frames and keeps what is left for the next piece."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, pcm: bytes) -> list[bytes]:
        """The frames that are whole now; each FRAME_BYTES long."""
        data = self._rest + pcm
        whole = len(data) - len(data) % FRAME_BYTES
        self._rest = data[whole:]
        return [data[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]

    def flush(self) -> list[bytes]:
        """The rest, filled up with silence: one frame or none."""
        rest, self._rest = self._rest, b""
        rest = rest[: len(rest) // 2 * 2]  # half a sample is a click, not sound
        return [rest.ljust(FRAME_BYTES, b"\0")] if rest else []

    def drop(self) -> None:
        """Forgets the rest."""
        self._rest = b""


def duration_ms(pcm: bytes) -> int:
    """How long this audio lasts, rounded down."""
    return len(pcm) // 2 * 1000 // SAMPLE_RATE_HZ
