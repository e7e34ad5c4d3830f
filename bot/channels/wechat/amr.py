"""Reads AMR narrow-band recordings (RFC 4867, section 5): the header, then one frame for every 20 ms."""

from __future__ import annotations

from typing import Final

from bot.channels.wechat.errors import RecordingRefused, RecordingTooLong
from bot.channels.wechat.framing import FRAMES_MAX

MAGIC: Final = b"#!AMR\n"
SPEECH_BYTES: Final = (12, 13, 15, 17, 19, 20, 26, 31)  # after the octet that names the kind, by kind
SID, SID_BYTES, NO_DATA = 8, 5, 15


def read_amr(recording: bytes) -> list[bytes]:
    """The frames, each with the octet that names its kind; b"" where the line was silent.

    Raises RecordingRefused for what is no AMR to its last byte, RecordingTooLong for more than a minute.
    """
    if not recording.startswith(MAGIC):
        raise RecordingRefused("no AMR")
    frames: list[bytes] = []
    at = len(MAGIC)
    while at < len(recording):
        kind = recording[at] >> 3 & 0xF
        if recording[at] & 0x83 or kind not in (*range(len(SPEECH_BYTES)), SID, NO_DATA):
            raise RecordingRefused("an octet that names no kind of frame")
        length = 1 + (SPEECH_BYTES[kind] if kind < SID else SID_BYTES if kind == SID else 0)
        frame = recording[at : at + length]
        if len(frame) < length:
            break  # the recording was cut off within a frame
        if len(frames) == FRAMES_MAX:
            raise RecordingTooLong
        frames.append(frame if kind < SID else b"")
        at += length
    if not any(frames):
        raise RecordingRefused("no speech in it")
    return frames
