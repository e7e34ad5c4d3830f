"""A program of its own: decodes frames of the codec that is its argument from its input to PCM of 8 kHz on its output.

What strangers recorded is decoded nowhere else. It imports nothing of ours; `bot/surfaces/apart.py` runs it.

Input: each frame after one octet with its length, 0 for 20 ms of silence. Output: 160 samples, 16 bits, for each.
"""

from __future__ import annotations

import sys

import av
import numpy as np

INPUT_BYTES_MAX = 192 * 1024
SAMPLES = 160
SILENCE = bytes(2 * SAMPLES)


def main() -> None:
    """Reads, decodes, writes."""
    codec = av.CodecContext.create(sys.argv[1], "r")
    codec.sample_rate, codec.layout, codec.thread_count = 8000, "mono", 1  # type: ignore[attr-defined]
    codec.open()
    data, at = sys.stdin.buffer.read(INPUT_BYTES_MAX), 0
    while at < len(data):
        frame = data[at + 1 : at + 1 + data[at]]
        at += 1 + len(frame)
        pcm = SILENCE
        if frame:
            try:
                decoded = codec.decode(av.Packet(frame))  # type: ignore[attr-defined]
                wave = np.concatenate([one.to_ndarray().ravel() for one in decoded])
                pcm = np.clip(np.rint(wave * 32767), -32768, 32767).astype("<i2").tobytes()
            except (av.FFmpegError, ValueError):
                pcm = SILENCE
        sys.stdout.buffer.write(pcm[: len(SILENCE)].ljust(len(SILENCE), b"\0"))


if __name__ == "__main__":
    main()
