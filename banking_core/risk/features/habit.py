"""What the customer's own payments look like, whatever this one is."""

from __future__ import annotations

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import QUANTILES, ratio
from banking_core.risk.profile import NIGHT_HOURS


def _quantile(index: int) -> Feature:
    percent = round(QUANTILES[index] * 100)
    return Feature(
        f"habit_q{percent}_yuan",
        "habit",
        "yuan",
        f"本人付款金额的{percent}%分位",
        lambda m: m.quantiles[index],
    )


FEATURES = (
    Feature("habit_count", "habit", "count", "已知的付款笔数", lambda m: m.habit.count),
    Feature("habit_mean_yuan", "habit", "yuan", "付款金额均值", lambda m: m.habit_mean),
    Feature("habit_std_yuan", "habit", "yuan", "付款金额标准差", lambda m: m.habit.std_fen / 100),
    Feature("habit_std_log", "habit", "ratio", "付款金额对数的标准差", lambda m: m.habit.std_log),
    Feature("habit_max_yuan", "habit", "yuan", "最大一笔付款", lambda m: m.habit.max_fen / 100),
    *(_quantile(index) for index in range(len(QUANTILES))),
    Feature(
        "habit_variation",
        "habit",
        "ratio",
        "付款金额的变异系数",
        lambda m: ratio(m.habit.std_fen, m.habit.mean_fen, 100),
    ),
    Feature("habit_active_days", "habit", "count", "有付款的天数", lambda m: m.profile.active_days),
    Feature(
        "habit_age_days", "habit", "days", "第一笔已知付款至今", lambda m: m.days_since(m.profile.first_s)
    ),
    Feature(
        "habit_per_active_day",
        "habit",
        "ratio",
        "有付款的日子平均几笔",
        lambda m: ratio(m.habit.count, m.profile.active_days, 1000),
    ),
    Feature(
        "habit_last_paid_days",
        "habit",
        "days",
        "上一笔付款至今",
        lambda m: m.days_since(m.profile.last_paid_s),
    ),
    flag(
        "habit_dormant",
        "habit",
        "三个月以上没有付款",
        lambda m: m.habit.count > 0 and m.days_since(m.profile.last_paid_s) > 90,
    ),
    flag("habit_unknown", "habit", "付款历史不足5笔", lambda m: m.habit.count < 5),
    Feature(
        "habit_night_share",
        "habit",
        "share",
        "夜间付款的份额",
        lambda m: ratio(sum(m.profile.hours[hour] for hour in NIGHT_HOURS), m.hours_total),
    ),
    Feature("habit_payees", "habit", "count", "付过款的收款人数", lambda m: len(m.profile.payees)),
)
