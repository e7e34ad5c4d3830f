"""`zhanggui risk`: what an operator reads about the model, the rules and single orders."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from banking_core.clock import ManualClock
from banking_core.risk.rules import DEFAULT_PATH, packaged_rules
from banking_core.risk.simulation.world import Plan
from bot.assembly import build_product
from bot.cli.main import cli
from bot.cli.risk_reports import judged, judged_lines, shadow_lines, why_lines
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import settings_for
from migrations.runner import upgrade
from tests.banking_core.orders.paying import Paying

TINY = Plan(customers=80, months=4, frauds_per_month=25, seed=3)


def test_every_rule_is_shown_with_what_it_meets(tmp_path: Path) -> None:
    candidate = tmp_path / "rules.yml"
    text = DEFAULT_PATH.read_text(encoding="utf-8")
    candidate.write_text(text.replace("version: 2", "version: 77", 1), encoding="utf-8")
    report = judged(candidate, TINY)
    assert report["rules_version"] == 77
    of_orders = [rule.row.id for rule in packaged_rules().rules if rule.row.subject == "order"]
    assert [row["id"] for row in report["rules"]] == of_orders
    for row in report["rules"]:
        assert 0 <= row["honest"] <= report["model"]["orders"]
        assert 0 <= row["frauds"] <= report["model"]["frauds"]
    shown = "\n".join(judged_lines(report))
    assert all(rule_id in shown for rule_id in of_orders)
    assert "不是真实客户" in shown


def test_rules_that_cannot_be_used_are_refused_with_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "rules.yml"
    broken.write_text("version: 1\nrules: [{id: x1y, when: no_such_feature > 1}]", encoding="utf-8")
    result = CliRunner().invoke(cli, ["risk", "judge", "--rules", str(broken)])
    assert result.exit_code == 2
    assert "规则不能用" in result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


async def test_an_order_can_be_explained_and_the_shadow_rules_counted(folder: Path) -> None:
    settings = settings_for(folder)
    await upgrade(settings.database_url, vault=settings.open_vault())
    product = build_product(settings, clock=ManualClock(MOMENT))
    await product.start()
    try:
        paying = await Paying.open(product.database, product.bank, 20_000_00)
        paying.context = {"proxy": True, "signals": {"phrases": {"boss": 1}}}
        order = await paying.draft()
    finally:
        await product.close()
    told = "\n".join(await why_lines(settings, order.number))
    assert "起草：转人工" in told and "领导急用" in told and "told_scam_story" in told
    assert "影子规则（没有起作用）：shadow_proxy" in told
    assert await why_lines(settings, "none") == []
    (line,) = await shadow_lines(settings, 3650)
    assert line == "shadow_proxy  1笔（当时转人工1）"
