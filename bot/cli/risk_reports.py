"""What `zhanggui risk` shows an operator."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from banking_core.clock import BANK_ZONE, SystemClock
from banking_core.orders.models import Order
from banking_core.risk.decisions import of_order, shadow_report
from banking_core.risk.judging import held_out, judge, judge_rules
from banking_core.risk.model import packaged_model
from banking_core.risk.models import RiskDecision
from banking_core.risk.rules import Rules, packaged_rules
from banking_core.risk.simulation.world import Plan
from banking_core.storage import Database
from bot.settings import Settings

VERDICTS = {"allow": "放行", "step_up": "加验证", "delay": "延时", "human": "转人工", "block": "拒绝"}
PHASES = {"draft": "起草", "execute": "执行", "login": "登录"}
FACTORS = {"otp": "短信验证码", "voice": "声纹"}
MODES = {"live": "生效", "shadow": "影子"}


def judged(path: Path | None, plan: Plan = Plan()) -> dict[str, Any]:  # noqa: B008 - a plan never changes
    """The model's figures and every rule's hits in the last month of `plan`. Raises RulesInvalid."""
    rules = Rules.load(path) if path is not None else packaged_rules()
    sample = held_out(plan)
    metrics = judge(packaged_model(), sample, np.ones(len(sample.fraud), np.bool_))
    return {"rules_version": rules.version, "model": metrics, "rules": judge_rules(rules, sample)}


def judged_lines(report: dict[str, Any]) -> list[str]:
    """The same as lines."""
    model = report["model"]
    lines = [
        f"{model['orders']}笔，其中欺诈{model['frauds']}笔（生成的数据，不是真实客户）",
        f"模型：AUC {model['auc']}，误报1%时找出{model['recall_at_1pct_fpr']:.1%}",
    ]
    lines += [
        f"  评分≥{row['at_least']:.2f}：正常{row['fpr']:.2%}，欺诈{row['recall']:.1%}，准确率{row['precision']:.1%}"
        for row in model["thresholds"]
    ]
    lines.append(f"规则第{report['rules_version']}版（碰到的正常笔数 / 欺诈笔数）：")
    lines += [
        f"  {row['id']}  {MODES[row['mode']]}·{VERDICTS[row['verdict']]}  "
        f"{row['honest']}（{row['honest_share']:.2%}）/ {row['frauds']}（{row['fraud_share']:.1%}）"
        for row in report["rules"]
    ]
    return lines


async def shadow_lines(settings: Settings, days: int) -> list[str]:
    """How often shadow rules held in the last `days` days, and what was done instead."""
    database = Database(settings.database_url)
    try:
        async with database.snapshot() as session:
            reports = await shadow_report(session, SystemClock().now() - timedelta(days=days))
    finally:
        await database.close()
    if not reports:
        return [f"最近{days}天没有影子规则碰到业务。"]
    return [
        f"{report.rule_id}  {report.held}笔（当时"
        + "，".join(f"{VERDICTS[verdict]}{count}" for verdict, count in sorted(report.instead.items()))
        + "）"
        for report in reports
    ]


async def why_lines(settings: Settings, number: str) -> list[str]:
    """Every judgement of the order with this number, oldest first; none when there is no such order."""
    database = Database(settings.database_url)
    try:
        async with database.snapshot() as session:
            order_id = await session.scalar(select(Order.id).where(Order.number == number))
            found = await of_order(session, order_id) if order_id is not None else []
    finally:
        await database.close()
    return [line for decision in found for line in _decision_lines(decision)]


def _decision_lines(decision: RiskDecision) -> list[str]:
    at = decision.at.astimezone(BANK_ZONE).strftime("%Y-%m-%d %H:%M:%S")
    needs = "、".join(FACTORS.get(factor, factor) for factor in decision.factors)
    score = "没有评分" if decision.score is None else f"评分{decision.score:.3f}"
    head = (
        f"{at} {PHASES[decision.phase]}：{VERDICTS[decision.verdict]}{f'（{needs}）' if needs else ''}，{score}，"
        f"规则第{decision.rules_version}版，模型{decision.model_version}，特征{decision.features_hash}"
    )
    lines = [head, *(f"  · {reason}" for reason in decision.reasons)]
    if decision.rules:
        lines.append(f"  规则：{'、'.join(decision.rules)}")
    if decision.shadow:
        lines.append(f"  影子规则（没有起作用）：{'、'.join(decision.shadow)}")
    return lines
