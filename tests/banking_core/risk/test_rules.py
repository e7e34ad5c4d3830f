from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from banking_core.risk.errors import RulesInvalid
from banking_core.risk.features import INDEX, NAMES
from banking_core.risk.rules import STRENGTH, Rules, packaged_rules

CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("rule_cases.yml").read_text(encoding="utf-8"))
ONE_RULE = """
version: 3
score: [{at_least: 0.5, verdict: step_up, factors: [otp]}]
rules:
  - {id: big, when: amount_yuan >= 10, verdict: human, reason: 金额大, customer_text: 请同事核实。, mode: live}
"""


def vector(values: dict[str, float]) -> list[float]:
    unknown = set(values) - set(INDEX)
    assert not unknown, f"no such features: {unknown}"
    return [float(values.get(name, 0)) for name in NAMES]


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == {rule.row.id for rule in packaged_rules().rules}


@pytest.mark.parametrize("rule_id", CASES)
def test_the_rule_holds_and_stops_holding_as_written(rule_id: str) -> None:
    rule = next(rule for rule in packaged_rules().rules if rule.row.id == rule_id)
    values = CASES[rule_id]["holds"]
    assert rule.condition.holds(vector(values))
    for change in CASES[rule_id]["not_with"]:
        assert not rule.condition.holds(vector(values | change)), change


def test_an_ordinary_payment_meets_no_rule() -> None:
    plain = vector({"moves_money": 1, "amount_yuan": 500, "payee_first_time": 1, "turns": 3})
    assert [rule.row.id for rule in packaged_rules().rules if rule.condition.holds(plain)] == []


def test_what_a_customer_hears_never_tells_the_reason() -> None:
    for rule in packaged_rules().rules:
        heard = rule.row.customer_text or ""
        assert not any(word in heard for word in ("诈骗", "骗", "风险", "异常", "可疑", "规则"))
        if STRENGTH[rule.row.verdict] >= STRENGTH["delay"]:
            assert heard.endswith("。")


def test_rules_are_read_from_text() -> None:
    rules = Rules.parse(ONE_RULE)
    assert (rules.version, len(rules.rules), rules.score[0].at_least) == (3, 1, 0.5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 3", "version: 0"),
        ("amount_yuan >= 10", "no_such_feature >= 10"),
        ("amount_yuan >= 10", "amount_yuan"),
        ("verdict: human", "verdict: charm"),
        ("customer_text: 请同事核实。, ", ""),
        ("reason: 金额大", "reason: big"),
        ("mode: live", "mode: maybe"),
        ("verdict: step_up, factors: [otp]", "verdict: step_up"),
        ("verdict: human", "verdict: delay"),
        ("id: big", "id: BIG RULE"),
        ("rules:", "surprise: 1\nrules:"),
        ("at_least: 0.5", "at_least: 1.5"),
    ],
)
def test_a_damaged_file_is_refused_when_it_is_read(old: str, new: str) -> None:
    assert old in ONE_RULE
    with pytest.raises(RulesInvalid):
        Rules.parse(ONE_RULE.replace(old, new, 1))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesInvalid):
        Rules.load(tmp_path / "none.yml")
