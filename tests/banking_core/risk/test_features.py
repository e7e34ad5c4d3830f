from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.risk.context import (
    AccountFacts,
    CustomerFacts,
    PayeeFacts,
    RiskContext,
    Signals,
    Surroundings,
)
from banking_core.risk.features import FEATURES, INDEX, NAMES, compute, features_hash
from banking_core.risk.profile import Profile

AT = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
CUSTOMER = CustomerFacts(datetime(2024, 1, 1, tzinfo=UTC), date(1990, 3, 7))
GROUPS_WANTED = {"order", "amount", "habit", "payee", "velocity", "time", "device", "place", "conversation"}


def context(profile: Profile | None = None, **changes: object) -> RiskContext:
    values: dict[str, object] = {
        "at": AT,
        "customer": CUSTOMER,
        "profile": profile or Profile(),
        "amount_fen": 500_00,
        "account": AccountFacts(available_fen=1000_00),
        "payee": PayeeFacts(key="p", name_key="n", book_created_at=AT - timedelta(minutes=5)),
    } | changes
    return RiskContext(**values)  # type: ignore[arg-type]


def feature(name: str, of: RiskContext) -> float:
    return float(compute(of)[INDEX[name]])


def test_at_least_two_hundred_features_of_every_group_have_a_name_and_a_meaning() -> None:
    assert len(FEATURES) >= 200
    assert len(set(NAMES)) == len(NAMES)
    assert {feature.group for feature in FEATURES} >= GROUPS_WANTED
    assert all(feature.meaning for feature in FEATURES)
    assert len({feature.meaning for feature in FEATURES}) == len(FEATURES)


def test_weights_can_tell_another_list_of_features() -> None:
    assert features_hash(FEATURES[:-1]) != features_hash()
    assert features_hash((FEATURES[1], FEATURES[0], *FEATURES[2:])) != features_hash()


def test_a_new_payee_added_minutes_ago_is_seen() -> None:
    fresh = context()
    assert feature("payee_first_time", fresh) == 1
    assert feature("payee_added_within_10m", fresh) == 1
    profile = Profile()
    profile.observe_paid(AT.timestamp() - 86_400, 300_00, "p", "n")
    known = context(profile)
    assert feature("payee_first_time", known) == 0
    assert feature("payee_times_paid", known) == 1
    assert feature("payee_last_paid_days", known) == 1


def test_an_amount_far_above_the_habit_stands_out() -> None:
    profile = Profile()
    for day in range(1, 20):
        profile.observe_paid(AT.timestamp() - day * 86_400, 100_00 + day, "p")
    assert feature("amount_log_z", context(profile, amount_fen=100_00)) < 1
    assert feature("amount_log_z", context(profile, amount_fen=50_000_00)) > 3
    assert feature("amount_over_max", context(profile, amount_fen=50_000_00)) == 1


def test_what_was_said_counts_and_is_bounded() -> None:
    signals = Signals.read({"phrases": {"safe_account": 2, "nonsense": 9}, "corrections": 3, "turns": True})
    told = context(signals=signals)
    assert feature("said_safe_account", told) == 2
    assert feature("said_any", told) == 2
    assert feature("corrections", told) == 3
    assert feature("turns", told) == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*Signals.__dataclass_fields__]), JSON) | JSON,
    st.integers(-(10**20), 10**20),
    st.integers(-(10**20), 10**20),
)
def test_whatever_comes_in_every_feature_is_a_finite_number(
    signals: object, amount_fen: int, available_fen: int
) -> None:
    vector = compute(
        context(
            signals=Signals.read(signals),
            amount_fen=amount_fen,
            account=AccountFacts(available_fen=available_fen),
            surroundings=Surroundings(device="d", place="x", network="n"),
        )
    )
    assert vector.shape == (len(NAMES),)
    assert np.isfinite(vector).all()


def test_a_first_device_is_not_a_new_one() -> None:
    around = Surroundings(device="d", network="n", place="p")
    nowhere = context(surroundings=around)
    profile = Profile()
    profile.observe_surroundings(AT.timestamp() - 86_400, device="x", network="y", place="z")
    elsewhere = context(profile, surroundings=around)
    for name in ("device_new", "network_new", "place_new", "all_new"):
        assert (feature(name, nowhere), feature(name, elsewhere)) == (0, 1), name


def test_the_same_moment_gives_the_same_numbers() -> None:
    assert (compute(context()) == compute(context())).all()
