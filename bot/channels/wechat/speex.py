"""Reads Speex recordings of 16 kHz as Tencent wraps them: frames of 20 ms, with nothing before them and no container.

Its decoder library takes blocks of 60 octets, one frame in each (23.8 kbit/s). Its media API calls the same thing
`audio/x-speex-with-header-byte`: blocks that begin with an octet that gives their length. Either is taken, if the
frames in it are whole: a Speex frame says by itself how many bits it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.channels.wechat.errors import RecordingRefused, RecordingTooLong
from bot.channels.wechat.framing import FRAMES_MAX

BLOCK_BYTES: Final = 60
NARROW_BITS: Final = (5, 43, 119, 160, 220, 300, 364, 492, 79)  # by mode, the 5 bits that name it included
WIDE_BITS: Final = (4, 36, 112, 192, 352)  # of the upper half of the band, the 4 bits that name it included


def read_speex(recording: bytes) -> list[bytes]:
    """The lower half of the band of every frame, a narrowband frame of its own: 8 kHz is all that the ears want.

    Raises RecordingRefused for what is not, in one of the two ways, frames to its end, and RecordingTooLong.
    """
    for blocks in (_fixed(recording), _with_header(recording)):
        frames: list[bytes] = []
        for block in blocks:
            frame = narrowband(block)
            if frame is None:
                break
            if len(frames) == FRAMES_MAX:
                raise RecordingTooLong
            frames.append(frame)
        else:
            if frames:
                return frames
    raise RecordingRefused("no Speex in a wrapping that is known")


def narrowband(block: bytes) -> bytes | None:
    """The narrowband part of the wideband frame with which a block begins, filled up to whole octets with a 0 and ones;
    None where there is no whole frame.
    """
    bits, length = int.from_bytes(block, "big"), 8 * len(block)

    def named(at: int, width: int) -> int:
        return bits >> (length - at - width) & ((1 << width) - 1) if at + width <= length else -1

    narrow = named(0, 5)  # a 0, and the mode
    if not 0 <= narrow < len(NARROW_BITS):
        return None
    count = NARROW_BITS[narrow]
    wide = named(count, 4) - 8  # a 1, and the mode
    if not 0 <= wide < len(WIDE_BITS) or count + WIDE_BITS[wide] > length:
        return None
    spare = -count % 8
    kept = bits >> (length - count) << spare | ((1 << max(spare - 1, 0)) - 1)
    return kept.to_bytes((count + spare) // 8, "big")


def _fixed(recording: bytes) -> Iterator[bytes]:
    for at in range(0, len(recording) - BLOCK_BYTES + 1, BLOCK_BYTES):  # what is cut off is left out
        yield recording[at : at + BLOCK_BYTES]


def _with_header(recording: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(recording):
        block = recording[at + 1 : at + 1 + recording[at]]
        at += 1 + recording[at]
        if at <= len(recording):
            yield block
