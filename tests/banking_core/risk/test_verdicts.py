"""How rules and score become one judgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from banking_core.risk.context import AccountFacts, CustomerFacts, PayeeFacts, RiskContext
from banking_core.risk.features import FEATURES, INDEX, NAMES, Vector, vector_hash
from banking_core.risk.features.words import in_words
from banking_core.risk.model import Model, packaged_model
from banking_core.risk.profile import Profile
from banking_core.risk.rules import Rules, packaged_rules
from banking_core.risk.verdicts import Judgement, decide

AT = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
CONTEXT = RiskContext(
    AT,
    CustomerFacts(datetime(2024, 1, 1, tzinfo=UTC), date(1990, 3, 7)),
    Profile(),
    account=AccountFacts(available_fen=1000_00),
    payee=PayeeFacts(key="p"),
)
FILE = """
version: 7
exempt_kinds: [card_report_loss]
score:
  - {at_least: 0.2, verdict: step_up, factors: [otp]}
  - {at_least: 0.8, verdict: human, customer_text: 请同事核实。}
rules:
  - {id: ask_voice, when: amount_yuan >= 10, verdict: step_up, factors: [voice], reason: 金额大, mode: live}
  - {id: ask_code, when: amount_yuan >= 20, verdict: step_up, factors: [otp], reason: 金额更大, mode: live}
  - {id: wait_short, when: amount_yuan >= 30, verdict: delay, delay_minutes: 5,
     reason: 等,
     customer_text: 等五分钟。, mode: live}
  - {id: wait_long, when: amount_yuan >= 30, verdict: delay, delay_minutes: 60,
     reason: 久等,
     customer_text: 等一小时。, mode: live}
  - {id: tried, when: amount_yuan >= 1, verdict: block, reason: 试, customer_text: 不办。, mode: shadow}
  - {id: at_login, subject: login, when: device_new, verdict: step_up, factors: [otp],
     reason: 新设备, mode: live}
"""
RULES = Rules.parse(FILE)


def scoring(probability: float) -> Model:
    """A model that always says the same."""
    model = packaged_model()
    return replace(model, slope=0.0, intercept=float(np.log(probability / (1 - probability))))


def judged(amount_yuan: float = 0.0, score: float = 0.01, **changes: object) -> Judgement:
    vector: Vector = np.zeros(len(NAMES))
    vector[INDEX["amount_yuan"]] = amount_yuan
    return decide(replace(CONTEXT, **changes), vector, RULES, scoring(score))  # type: ignore[arg-type]


def test_nothing_held_is_allowed_and_still_scored() -> None:
    found = judged()
    assert (found.kind, found.rules, found.reasons) == ("allow", (), ())
    assert found.score == pytest.approx(0.01)


def test_a_shadow_rule_is_named_and_does_nothing() -> None:
    found = judged(5)
    assert (found.kind, found.shadow, found.rules, found.reasons) == ("allow", ("tried",), (), ())


def test_step_ups_add_up_their_factors() -> None:
    assert judged(10).factors == {"voice"}
    both = judged(20)
    assert (both.kind, both.factors, both.rules) == ("step_up", {"otp", "voice"}, ("ask_voice", "ask_code"))


def test_the_strongest_wins_and_the_longest_delay() -> None:
    found = judged(30)
    assert (found.kind, found.delay_minutes, found.customer_text) == ("delay", 60, "等一小时。")
    assert found.factors == frozenset()
    assert found.reasons == ("金额大", "金额更大", "等", "久等")
    assert judged(30, score=0.9).kind == "human"


def test_who_has_waited_waits_no_second_time() -> None:
    found = judged(30, waited=True)
    assert (found.kind, found.delay_minutes) == ("allow", None)
    assert "冷静期已过" in found.reasons


@pytest.mark.parametrize(
    ("score", "kind"), [(0.19, "allow"), (0.21, "step_up"), (0.79, "step_up"), (0.81, "human")]
)
def test_the_score_means_what_its_thresholds_say(score: float, kind: str) -> None:
    assert judged(score=score).kind == kind


def test_the_model_says_which_features_made_the_score() -> None:
    vector: Vector = np.zeros(len(NAMES))
    vector[INDEX["payee_senders_7d"]] = 9
    model = packaged_model()
    found = decide(CONTEXT, vector, RULES, replace(model, intercept=model.intercept + 12))
    assert found.reasons[0].startswith("模型评分1.00，达到0.80：")


def test_the_model_is_silent_where_no_money_leaves_for_others() -> None:
    own = PayeeFacts(key="p", own_account=True)
    for changes in ({"account": None}, {"payee": own}, {"subject": "login"}, {"kind": "card_report_loss"}):
        found = judged(score=0.99, **changes)
        assert (found.kind, found.score) == ("allow", None), changes


def test_what_protects_the_customer_is_never_held_up() -> None:
    assert judged(30, kind="card_report_loss").kind == "allow"


def test_rules_of_log_ins_and_of_orders_do_not_mix() -> None:
    vector: Vector = np.zeros(len(NAMES))
    vector[INDEX["device_new"]] = 1
    vector[INDEX["amount_yuan"]] = 30
    login = decide(replace(CONTEXT, subject="login", kind="login"), vector, RULES, scoring(0.01))
    assert (login.rules, login.factors) == (("at_login",), {"otp"})
    assert "at_login" not in decide(CONTEXT, vector, RULES, scoring(0.01)).rules


def test_the_hash_tells_one_snapshot_of_features_from_another() -> None:
    assert judged(5).features_hash == judged(5).features_hash != judged(6).features_hash
    assert judged(5).features_hash == vector_hash(_vector(5))


def _vector(amount_yuan: float) -> Vector:
    vector = np.zeros(len(NAMES))
    vector[INDEX["amount_yuan"]] = amount_yuan
    return vector


def test_every_feature_can_be_put_into_words() -> None:
    for feature in FEATURES:
        for value in (0.0, 1.0, 0.123, 1e9):
            assert feature.meaning in in_words(feature, value)


def test_the_shipped_rules_do_not_stop_an_ordinary_payment() -> None:
    profile = Profile()
    for day in range(1, 60):
        profile.observe_paid(AT.timestamp() - day * 86_400, 300_00 + day * 700, "p", "n")
    plain = replace(CONTEXT, profile=profile, amount_fen=400_00)
    from banking_core.risk.features import compute

    found = decide(plain, compute(plain), packaged_rules(), packaged_model())
    assert (found.kind, found.reasons) == ("allow", ())
