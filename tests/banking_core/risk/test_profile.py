from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.risk.profile import EVENTS_MAX, LOGGED_IN, PAID, PAYEES_MAX, Habit, Profile
from banking_core.risk.windows import DAY_S, HOUR_S, bank_hour, bank_weekday

NOW_S = 1_790_000_000.0
PAYMENTS = st.lists(
    st.tuples(st.floats(0, 40 * DAY_S), st.integers(1, 10**12), st.sampled_from("abcd")), max_size=40
)


def lived(payments: list[tuple[float, int, str]]) -> Profile:
    profile = Profile()
    for ago_s, amount_fen, payee in sorted(payments, reverse=True):
        profile.observe_paid(NOW_S - ago_s, amount_fen, payee, payee)
    return profile


@settings(max_examples=60, deadline=None)
@given(PAYMENTS)
def test_what_is_kept_as_json_comes_back_the_same(payments: list[tuple[float, int, str]]) -> None:
    profile = lived(payments)
    profile.observe_login(NOW_S, ok=True, device="d")
    profile.observe_change(NOW_S, "password")
    again = Profile.from_json(json.loads(json.dumps(profile.to_json())))
    assert again.to_json() == profile.to_json()
    assert again.window(NOW_S) == profile.window(NOW_S)


@settings(max_examples=60, deadline=None)
@given(PAYMENTS)
def test_windows_count_what_a_plain_count_counts(payments: list[tuple[float, int, str]]) -> None:
    day = lived(payments).window(NOW_S)[2]
    within = [(amount_fen, payee) for ago_s, amount_fen, payee in payments if NOW_S - ago_s >= NOW_S - DAY_S]
    assert day.counts[PAID] == len(within)
    assert day.sums_fen[PAID] == sum(amount_fen for amount_fen, _ in within)
    assert day.payees == len({payee for _, payee in within})


def test_a_profile_stays_small_however_long_it_lives() -> None:
    profile = Profile()
    for number in range(3 * EVENTS_MAX):
        profile.observe_paid(NOW_S + number * HOUR_S / 10, 100, f"payee{number}", f"name{number}")
        profile.observe_surroundings(
            NOW_S + number, device=f"d{number}", network=f"n{number}", place=f"p{number}"
        )
    assert len(profile.events) <= EVENTS_MAX
    assert len(profile.payees) == PAYEES_MAX
    assert profile.habit.count == 3 * EVENTS_MAX
    assert len(json.dumps(profile.to_json())) < 64_000


def test_a_copy_can_be_changed_without_the_original_knowing() -> None:
    profile = lived([(60.0, 500, "a")])
    copy = profile.copy()
    copy.observe_paid(NOW_S, 900, "b")
    assert (profile.habit.count, copy.habit.count) == (1, 2)
    assert "b" not in profile.payees


def test_habits_agree_with_the_textbook() -> None:
    habit = Habit()
    for amount_fen in (100, 200, 300, 400):
        habit.add(amount_fen)
    assert habit.mean_fen == 250
    assert round(habit.std_fen, 6) == round((50000 / 3) ** 0.5, 6)
    assert habit.rank(10_000) == 1.0
    assert habit.rank(1) == 0.0
    assert 100 <= habit.quantile_fen(0.5) <= 400


def test_hours_are_those_of_the_banks_wall_clock() -> None:
    assert bank_hour(0.0) == 8
    assert bank_weekday(0.0) == 3
    assert bank_weekday(16 * HOUR_S) == 4


def test_the_steps_of_one_log_in_are_one() -> None:
    profile = Profile()
    for at_s, device in ((0, "a"), (60, "a"), (120, "b"), (1200, "b")):
        profile.observe_login(NOW_S + at_s, ok=True, device=device)
    assert profile.window(NOW_S + 1200)[1].counts[LOGGED_IN] == 3
    assert profile.last_login_s == NOW_S + 1200
