"""The sound of a sentence is whole, begins before the detector noticed, and is given away once."""

from __future__ import annotations

from bot.channels.phone.recording import BEFORE_FRAMES, FRAMES_MAX, Recording


def frames(first: int, last: int) -> list[bytes]:
    return [at.to_bytes(2, "big") for at in range(first, last)]


def fed(recording: Recording, first: int, last: int) -> None:
    for frame in frames(first, last):
        recording.feed(frame)


def test_a_sentence_begins_before_the_detector_is_sure_of_it() -> None:
    recording = Recording()
    fed(recording, 0, 100)
    recording.voice()
    fed(recording, 100, 150)
    assert recording.take() == b"".join(frames(100 - BEFORE_FRAMES, 150))
    assert recording.take() == b""


def test_a_pause_within_it_is_part_of_it_and_what_follows_its_end_is_another_one() -> None:
    recording = Recording()
    recording.voice()
    fed(recording, 0, 50)
    recording.voice()
    fed(recording, 50, 100)
    recording.ended()
    recording.voice()
    fed(recording, 100, 120)
    assert recording.take() == b"".join(frames(100 - BEFORE_FRAMES, 120))


def test_no_more_is_kept_than_the_longest_sentence_and_nothing_once_dropped() -> None:
    recording = Recording()
    recording.voice()
    fed(recording, 0, FRAMES_MAX + 500)
    assert len(recording.take()) == 2 * FRAMES_MAX
    fed(recording, 0, 10)
    recording.drop()
    recording.voice()
    assert recording.take() == b""
