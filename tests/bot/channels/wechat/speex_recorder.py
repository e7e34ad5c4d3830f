"""Makes the Speex recordings beside this file, with Debian's libspeex1 and our own voice:

    python -m tests.bot.channels.wechat.speex_recorder /usr/lib/x86_64-linux-gnu/libspeex.so.1

No Python package encodes Speex, so they are kept: frames of 60 octets, 16 kHz, quality 7. The voice never says
a thing twice alike, so what went in (8 kHz mu-law) is kept beside each.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import numpy as np

from bot.channels.phone.audio import SILENCE, codec
from bot.channels.phone.speaking.espeak import synthesise

FOLDER = Path(__file__).with_name("speex")
SAID = {"balance": "查余额", "human": "转人工"}
WIDEBAND, GET_FRAME_SIZE, SET_QUALITY = 1, 3, 4
SAMPLES, BYTES_MAX, QUALITY = 320, 200, 7


class Bits(ctypes.Structure):
    """SpeexBits of speex_bits.h."""

    _fields_ = (
        ("chars", ctypes.c_void_p),
        *((name, ctypes.c_int) for name in ("count", "char", "bit", "owner", "overflow", "size", "reserved")),
        ("reserved_too", ctypes.c_void_p),
    )


def twice_the_rate(pcm: bytes) -> np.ndarray:
    """8 kHz as 16 kHz, whole frames."""
    wave = np.frombuffer(pcm, "<i2").astype(float)
    finer = np.interp(np.arange(2 * len(wave)) / 2, np.arange(len(wave)), wave).astype("<i2")
    return np.concatenate([finer, np.zeros(-len(finer) % SAMPLES, "<i2")])


def frames(library: str, wave: np.ndarray) -> list[bytes]:
    """The frames of 16 kHz samples."""
    speex = ctypes.CDLL(library)
    speex.speex_lib_get_mode.restype = speex.speex_encoder_init.restype = ctypes.c_void_p
    speex.speex_encoder_init.argtypes = [ctypes.c_void_p]
    encoder = ctypes.c_void_p(speex.speex_encoder_init(speex.speex_lib_get_mode(WIDEBAND)))
    speex.speex_encoder_ctl(encoder, SET_QUALITY, ctypes.byref(ctypes.c_int(QUALITY)))
    bits, found = Bits(), []
    speex.speex_bits_init(ctypes.byref(bits))
    for at in range(0, len(wave), SAMPLES):
        samples = (ctypes.c_int16 * SAMPLES)(*map(int, wave[at : at + SAMPLES]))
        speex.speex_bits_reset(ctypes.byref(bits))
        speex.speex_encode_int(encoder, samples, ctypes.byref(bits))
        room = ctypes.create_string_buffer(BYTES_MAX)
        written = speex.speex_bits_write(ctypes.byref(bits), room, BYTES_MAX)
        found.append(room.raw[:written])
    return found


def main() -> None:
    """Writes them."""
    FOLDER.mkdir(exist_ok=True)
    for name, words in SAID.items():
        pcm = SILENCE * 15 + synthesise(words, 0.9) + SILENCE * 10
        wave = twice_the_rate(pcm)
        (FOLDER / f"{name}.ulaw").write_bytes(codec("PCMU").encode(pcm))
        (FOLDER / f"{name}.speex").write_bytes(b"".join(frames(sys.argv[1], wave)))


if __name__ == "__main__":
    main()
