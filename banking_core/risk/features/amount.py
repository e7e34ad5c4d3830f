"""The amount: against the customer's own habit, against the balance, and by its shape."""

from __future__ import annotations

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import QUANTILES, Moment, log10_fen, ratio

LIMIT_EDGES_YUAN = (5_000, 10_000, 20_000, 50_000)


def _round(step_yuan: int) -> Feature:
    return flag(
        f"amount_round_{step_yuan}",
        "amount",
        f"金额是{step_yuan}元的整数倍",
        lambda m: m.context.amount_fen > 0 and m.context.amount_fen % (step_yuan * 100) == 0,
    )


def _over_quantile(index: int) -> Feature:
    percent = round(QUANTILES[index] * 100)
    return flag(
        f"amount_over_q{percent}",
        "amount",
        f"金额高于本人{percent}%的付款",
        lambda m: m.habit.count >= 5 and m.amount > m.quantiles[index],
    )


def _just_below(edge_yuan: int) -> Feature:
    return flag(
        f"amount_just_below_{edge_yuan}",
        "amount",
        f"金额略低于{edge_yuan}元的关口（差5%以内）",
        lambda m: 0.95 * edge_yuan <= m.amount < edge_yuan,
    )


def _zeros(m: Moment) -> float:
    digits = str(max(m.context.amount_fen, 0))
    return float(len(digits) - len(digits.rstrip("0"))) if m.context.amount_fen > 0 else 0.0


def _repeated(m: Moment) -> bool:
    yuan = str(m.context.amount_fen // 100)
    return len(yuan) >= 3 and len(set(yuan)) == 1 and yuan[0] != "0"


FEATURES = (
    Feature("amount_yuan", "amount", "yuan", "金额", lambda m: m.amount),
    Feature("amount_log", "amount", "ratio", "金额（分）的对数", lambda m: log10_fen(m.context.amount_fen)),
    Feature("amount_fee_yuan", "amount", "yuan", "手续费", lambda m: m.fee),
    Feature("amount_z", "amount", "std", "金额比本人均值高几个标准差", lambda m: m.z),
    Feature("amount_log_z", "amount", "std", "金额对数比本人均值高几个标准差", lambda m: m.log_z),
    Feature("amount_rank", "amount", "share", "本人有多少付款比这笔小", lambda m: m.rank),
    Feature(
        "amount_to_mean", "amount", "ratio", "金额是本人均值的几倍", lambda m: ratio(m.amount, m.habit_mean)
    ),
    Feature(
        "amount_to_median",
        "amount",
        "ratio",
        "金额是本人中位数的几倍",
        lambda m: ratio(m.amount, m.quantiles[2]),
    ),
    Feature(
        "amount_to_q90",
        "amount",
        "ratio",
        "金额是本人90分位的几倍",
        lambda m: ratio(m.amount, m.quantiles[4]),
    ),
    Feature(
        "amount_to_q99",
        "amount",
        "ratio",
        "金额是本人99分位的几倍",
        lambda m: ratio(m.amount, m.quantiles[6]),
    ),
    Feature(
        "amount_to_max",
        "amount",
        "ratio",
        "金额是本人最大一笔的几倍",
        lambda m: ratio(m.amount, m.habit.max_fen / 100),
    ),
    flag(
        "amount_over_max",
        "amount",
        "比本人以往任何一笔都大",
        lambda m: m.habit.count >= 5 and m.context.amount_fen > m.habit.max_fen,
    ),
    *(_over_quantile(index) for index in range(2, len(QUANTILES))),
    Feature(
        "amount_to_30d_sum",
        "amount",
        "ratio",
        "金额是近30天付款总额的几倍",
        lambda m: ratio(m.amount, m.paid_30d),
    ),
    Feature(
        "amount_to_daily_mean",
        "amount",
        "ratio",
        "金额是近30天日均付款的几倍",
        lambda m: ratio(m.amount, m.paid_30d / 30),
    ),
    Feature(
        "amount_share_of_balance",
        "amount",
        "share",
        "金额占可用余额的份额",
        lambda m: ratio(m.amount, m.available, 10),
    ),
    flag(
        "amount_drains_half",
        "amount",
        "转走一半以上余额",
        lambda m: m.available > 0 and 0.5 * m.available <= m.amount,
    ),
    flag(
        "amount_drains_90",
        "amount",
        "转走九成以上余额",
        lambda m: m.available > 0 and 0.9 * m.available <= m.amount,
    ),
    flag(
        "amount_drains_99",
        "amount",
        "几乎转空余额",
        lambda m: m.available > 0 and 0.99 * m.available <= m.amount,
    ),
    Feature("balance_yuan", "amount", "yuan", "付款账户可用余额", lambda m: m.available),
    Feature(
        "balance_after_yuan",
        "amount",
        "yuan",
        "付款后余额",
        lambda m: max(m.available - m.amount - m.fee, 0.0),
    ),
    Feature(
        "balance_to_habit",
        "amount",
        "ratio",
        "可用余额是本人平均付款的几倍",
        lambda m: ratio(m.available, m.habit_mean),
    ),
    *(_round(step) for step in (10, 100, 1_000, 10_000)),
    *(_just_below(edge) for edge in LIMIT_EDGES_YUAN),
    Feature("amount_zeros", "amount", "count", "金额（分）末尾零的个数", _zeros),
    flag("amount_repeated_digit", "amount", "金额由同一个数字组成", _repeated),
    flag("amount_has_fen", "amount", "金额带角分", lambda m: m.context.amount_fen % 100 != 0),
    flag("amount_tiny", "amount", "金额不超过10元", lambda m: 0 < m.amount <= 10),
    flag("amount_large", "amount", "金额在1万元以上", lambda m: m.amount >= 10_000),
)
