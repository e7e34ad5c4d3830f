"""The parts of a caller's turn are timed from the right moments."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from bot.channels.phone.loop import Ask, Final, Replied, Say, TakeFinal, VoiceStopped
from bot.channels.phone.metrics import PARTS, CallMetrics, Stopwatch


def test_each_part_of_a_turn_is_counted_once_with_its_length():
    registry = CollectorRegistry()
    watch = Stopwatch(CallMetrics(registry))
    watch.event(VoiceStopped(0.2), 10.0)
    watch.action(TakeFinal(), 10.3)
    watch.event(Final("查余额"), 10.4)
    watch.action(Ask(1, "查余额"), 10.4)
    watch.event(Replied(1, ("一千元。",), parse_s=0.2), 11.0)
    watch.action(Say(1, 0, ("一千元。",)), 11.0)
    watch.sound(11.05)
    watch.sound(11.5)

    def value(what, part):
        return registry.get_sample_value(f"zhanggui_call_part_seconds_{what}", {"part": part})

    lengths = dict(zip(PARTS, (0.5, 0.1, 0.2, 0.4, 0.05), strict=True))
    for part, length_s in lengths.items():
        assert value("count", part) == 1 and value("sum", part) == pytest.approx(length_s)


def test_a_turn_that_needed_no_understanding_counts_as_none_and_an_unasked_one_as_nothing():
    registry = CollectorRegistry()
    watch = Stopwatch(CallMetrics(registry))
    watch.event(Replied(0, ("您好。",), parse_s=0.2), 9.0)
    watch.action(Ask(1, "246810", secret=True), 10.0)
    watch.event(Replied(1, ("一千元。",)), 10.5)

    def count(part):
        return registry.get_sample_value("zhanggui_call_part_seconds_count", {"part": part}) or 0

    assert (count("understanding"), count("bank")) == (0, 1)
