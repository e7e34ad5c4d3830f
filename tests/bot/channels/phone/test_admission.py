"""Strangers are refused; calls are counted and never leak."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from banking_core.clock import ManualClock
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.errors import CallsTooFast, LineBusy, StrangerRefused
from bot.surfaces.rates import Rate

START = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)


def keeper(clock=None, **limits):
    return Doorkeeper(clock or ManualClock(START), LineLimits(**limits))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_by_default_only_this_machine_may_call(address):
    keeper().known(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "10.0.0.1", "fe80::1%eth0", "::ffff:8.8.8.8", "", "nonsense", "127.0.0.1.evil"]
)
def test_a_stranger_is_refused(address):
    with pytest.raises(StrangerRefused):
        keeper().known(address)


def test_an_allowed_network_may_call():
    keeper(allowed=(ip_network("10.1.0.0/16"),)).known("10.1.2.3")


def test_no_more_calls_at_once_than_allowed_and_a_hang_up_frees_the_line():
    door = keeper(calls_max=2)
    with ExitStack() as open_calls:
        open_calls.enter_context(door.admitted("1"))
        with door.admitted("2"), pytest.raises(LineBusy), door.admitted("3"):
            pass
        open_calls.enter_context(door.admitted("3"))
    assert door.calls == 0


def test_one_caller_holds_no_more_lines_than_allowed_while_others_may_call():
    door = keeper(calls_caller_max=1)
    with door.admitted("13800000004"):
        with pytest.raises(LineBusy), door.admitted("13800000004"):
            pass
        with door.admitted("13800000005"), door.admitted(""), door.admitted(""):
            assert door.calls == 4


def test_those_who_withhold_their_number_leave_lines_to_those_who_do_not():
    door = keeper(calls_max=4)
    with door.admitted("", "192.0.2.1"), door.admitted("", "192.0.2.1"), door.admitted("", "192.0.2.1"):
        with pytest.raises(LineBusy), door.admitted("", "192.0.2.1"):
            pass
        with door.admitted("13800000004"):
            assert door.calls == 4
    assert door.calls == 0


def test_calls_that_begin_too_fast_are_refused_until_time_has_passed():
    clock = ManualClock(START)
    door = keeper(clock, starts_caller=Rate(2, 0.1))
    for _ in range(2):
        with door.admitted("1"):
            pass
    with pytest.raises(CallsTooFast), door.admitted("1"):
        pass
    clock.advance(seconds=10)
    with door.admitted("1"):
        pass


def test_a_call_that_breaks_is_not_counted_any_more():
    door = keeper()
    with pytest.raises(ZeroDivisionError), door.admitted("1"):
        raise ZeroDivisionError
    assert door.calls == 0
