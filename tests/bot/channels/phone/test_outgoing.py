"""Sound leaves at the pace it is heard, and none of it after a clear."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.audio import FRAME_S
from bot.channels.phone.outgoing import CATCH_UP_S, QUEUE_FRAMES_MAX, Mark, Outgoing
from tests.bot.channels.phone.manual import tone


def test_frames_leave_one_by_one_every_20_ms():
    queue = Outgoing(lead_frames=0)
    queue.put(tone(3))
    assert [len(queue.due(at * FRAME_S)) for at in range(4)] == [1, 1, 1, 0]
    assert queue.said_ms == 60


def test_the_lead_leaves_at_once_and_the_rest_keeps_the_pace():
    queue = Outgoing(lead_frames=2)
    queue.put(tone(5))
    assert [len(queue.due(at * FRAME_S)) for at in range(4)] == [3, 1, 1, 0]


def test_a_mark_is_reached_only_when_the_sound_before_it_has_been_heard():
    queue = Outgoing(lead_frames=2)
    queue.put(tone(2))
    queue.mark("end")
    assert Mark("end") not in queue.due(0.0)
    assert queue.due(0.02) == []
    assert queue.due(0.04) == [Mark("end")]


def test_a_broken_last_frame_is_filled_up_before_a_mark():
    queue = Outgoing(lead_frames=0)
    queue.put(tone(1)[:100])
    queue.mark("end")
    (frame,) = queue.due(0.0)
    assert isinstance(frame, bytes) and len(frame) == 320 and frame[100:] == bytes(220)
    assert queue.due(0.02) == [Mark("end")]


def test_after_a_clear_neither_sound_nor_marks_nor_a_rest_come():
    queue = Outgoing(lead_frames=0)
    queue.put(tone(10) + b"\x01\x00")
    queue.mark("never")
    queue.due(0.0)
    queue.clear()
    queue.put(tone(1, value=9))
    assert queue.due(0.02) == [tone(1, value=9)]
    assert queue.due(1.0) == []


def test_after_a_stall_only_a_little_leaves_at_once():
    queue = Outgoing(lead_frames=0)
    queue.put(tone(100))
    queue.due(0.0)
    assert len(queue.due(1.5)) <= CATCH_UP_S / FRAME_S + 1


def test_after_a_pause_the_next_sentence_does_not_burst_out():
    queue = Outgoing(lead_frames=0)
    queue.put(tone(1))
    queue.due(0.0)
    queue.due(5.0)
    queue.put(tone(4))
    assert len(queue.due(9.0)) == 1


def test_the_queue_is_bounded():
    queue = Outgoing()
    queue.put(tone(QUEUE_FRAMES_MAX + 10))
    assert len(queue) == QUEUE_FRAMES_MAX


@settings(derandomize=True)
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 6))
def test_all_sound_leaves_once_and_in_order_whatever_the_pieces(pieces: list[int], lead_frames: int):
    queue, said, number = Outgoing(lead_frames=lead_frames), [], 0
    for at, frames in enumerate(pieces):
        for _ in range(frames):
            number += 1
            queue.put(tone(1, value=number))
        said += queue.due(at * FRAME_S)
    for at in range(len(pieces), len(pieces) + number + 10):
        said += queue.due(at * FRAME_S)
    assert said == [tone(1, value=n + 1) for n in range(number)]
