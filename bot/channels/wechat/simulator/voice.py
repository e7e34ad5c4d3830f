"""Records what a simulated follower says, as WeChat does: AMR narrow-band, 12.2 kbit/s."""

from __future__ import annotations

from bot.channels.wechat.amr import MAGIC

SAMPLES = 160


def recorded(pcm: bytes) -> bytes:
    """The recording of PCM as in `bot.channels.phone.audio`."""
    import av
    import numpy as np

    codec = av.AudioCodecContext.create("libopencore_amrnb", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = 8000, "mono", "s16", 12200
    codec.open()
    wave = np.frombuffer(pcm + bytes(-len(pcm) % (2 * SAMPLES)), "<i2")
    packets: list[bytes] = []
    for at in range(0, len(wave), SAMPLES):
        frame = av.AudioFrame.from_ndarray(
            wave[at : at + SAMPLES].reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 8000, at
        packets += [bytes(packet) for packet in codec.encode(frame)]
    packets += [bytes(packet) for packet in codec.encode(None)]
    return MAGIC + b"".join(packets)
