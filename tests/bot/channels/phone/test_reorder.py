"""Sound that arrives when it likes is heard in order, nearly whole, and without being held back for nothing."""

from __future__ import annotations

import random

import pytest
from aiortp.packet import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.sip.reorder import DEPTH_MAX, DEPTH_MIN, LOST_TOLD_MAX, Reorder
from tests.bot.channels.phone.jitter import SPACING_MS, arrivals, in_order

FRAMES = 3000  # a minute


def packet(number: int) -> RtpPacket:
    return RtpPacket(
        payload_type=0,
        sequence_number=number % 65_536,
        timestamp=160 * number % 2**32,
        payload=str(number).encode(),
    )


def heard_of(buffer: Reorder, numbers: list[int]) -> list[tuple[int, int]]:
    """(number, lost before it) of every frame, in the order in which they were handed on."""
    heard = []
    for number in numbers:
        _, frame = buffer.add(packet(number))
        while frame is not None:
            heard.append((int(frame.data), frame.lost))
            frame = buffer.pop()
    return heard


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("jitter_ms", "lost_max"), [(20, 0), (60, 2), (100, 6)])
def test_with_jitter_it_is_heard_in_order_with_next_to_nothing_lost(
    jitter_ms: float, lost_max: int, seed: int
) -> None:
    came = arrivals(FRAMES, jitter_ms=jitter_ms, seed=seed)
    heard = [number for number, _ in heard_of(Reorder(), [arrival.number for arrival in came])]
    assert in_order(heard)
    assert FRAMES - lost_max - DEPTH_MAX <= len(heard) <= FRAMES


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lost", [0.01, 0.05, 0.10])
@pytest.mark.parametrize("jitter_ms", [0, 20, 60, 100])
def test_what_the_network_loses_is_told_and_little_else_is_lost(
    jitter_ms: float, lost: float, seed: int
) -> None:
    came = arrivals(FRAMES, jitter_ms=jitter_ms, lost=lost, seed=seed)
    buffer = Reorder()
    heard = heard_of(buffer, [arrival.number for arrival in came])
    assert in_order(number for number, _ in heard)
    assert len(came) - len(heard) <= 0.01 * FRAMES
    missing = heard[-1][0] - heard[0][0] + 1 - len(heard)
    assert sum(gap for _, gap in heard) == missing


def delays_ms(jitter_ms: float, lost: float = 0.0) -> list[float]:
    """How long each frame is held after its arrival."""
    buffer, came_ms, held = Reorder(), {}, []
    for arrival in arrivals(FRAMES, jitter_ms=jitter_ms, lost=lost):
        came_ms[arrival.number] = arrival.at_ms
        _, frame = buffer.add(packet(arrival.number))
        while frame is not None:
            held.append(arrival.at_ms - came_ms[int(frame.data)])
            frame = buffer.pop()
    return held


def test_on_a_steady_line_nothing_is_held_back() -> None:
    assert set(delays_ms(0)) == {0.0} and set(delays_ms(19)) == {0.0}


@pytest.mark.parametrize(("jitter_ms", "longest_ms"), [(60, 80), (100, 130)])
def test_on_a_shaky_line_a_frame_waits_no_longer_than_the_jitter_makes_needful(
    jitter_ms: float, longest_ms: float
) -> None:
    assert max(delays_ms(jitter_ms)) <= longest_ms


def test_a_loss_on_a_line_without_jitter_holds_up_no_more_than_four_frames() -> None:
    assert max(delays_ms(0, lost=0.05)) <= 4 * SPACING_MS


def test_a_shaky_time_is_forgotten_again() -> None:
    buffer = Reorder()
    heard_of(buffer, [arrival.number for arrival in arrivals(400, jitter_ms=100)])
    assert buffer.depth > DEPTH_MIN
    heard_of(buffer, list(range(400, 1000)))
    assert buffer.depth == DEPTH_MIN


def test_numbers_wrap() -> None:
    start = 65_530
    order = [start + at for at in (0, 2, 1, 3, 4, 6, 5, 7, 8, 9)]
    assert [number for number, _ in heard_of(Reorder(), order)] == sorted(order)


def test_a_source_that_begins_elsewhere_is_taken_up_there_and_nothing_is_made_up() -> None:
    heard = heard_of(Reorder(), [1, 2, 3, 5000, 5001, 5002, 20, 21])
    assert heard == [(number, 0) for number in (1, 2, 3, 5000, 5001, 5002, 20, 21)]


def test_of_a_long_silence_only_the_beginning_is_made_up() -> None:
    heard = heard_of(Reorder(), [1, *range(60, 70)])
    assert heard[1] == (60, LOST_TOLD_MAX)


def test_what_comes_twice_is_heard_once() -> None:
    assert [n for n, _ in heard_of(Reorder(), [1, 1, 2, 4, 4, 3, 3, 2, 5])] == [1, 2, 3, 4, 5]


def test_a_key_among_the_sound_is_no_loss() -> None:
    buffer = Reorder()
    heard = heard_of(buffer, [1, 2])
    assert buffer.mark_non_media(3) is None and buffer.mark_non_media(4) is None
    assert heard + heard_of(buffer, [5]) == [(1, 0), (2, 0), (5, 0)]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 65_535), max_size=200), st.integers(0, 2**32))
def test_any_numbers_in_any_order_are_taken(numbers: list[int], seed: int) -> None:
    buffer, draw = Reorder(), random.Random(seed)
    handed_on = 0
    for number in numbers:
        frame = buffer.mark_non_media(number) if draw.random() < 0.2 else buffer.add(packet(number))[1]
        while frame is not None:
            handed_on += 1
            frame = buffer.pop()
        assert len(buffer._held) <= DEPTH_MAX
    assert handed_on <= len(numbers)
