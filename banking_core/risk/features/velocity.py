"""How much happened in the last five minutes, hour, day, week and month."""

from __future__ import annotations

from collections.abc import Callable

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import Moment, ratio
from banking_core.risk.profile import (
    CHANGED,
    DRAFTED,
    LOGGED_IN,
    LOGIN_FAILED,
    PAID,
    PAID_NEW,
    STOPPED,
    WindowFacts,
)
from banking_core.risk.windows import WINDOW_NAMES, WINDOW_WORDS

COUNTED = {
    "drafts": (DRAFTED, "起草笔数"),
    "paid": (PAID, "付款笔数"),
    "new_payees": (PAID_NEW, "首次付款的收款人数"),
    "logins": (LOGGED_IN, "登录次数"),
    "login_failures": (LOGIN_FAILED, "登录失败次数"),
    "changes": (CHANGED, "安全信息变更次数"),
    "stops": (STOPPED, "被风控拦下的次数"),
}
Read = Callable[[WindowFacts], float]


def _each(name: str, unit: str, words: str, read: Read) -> tuple[Feature, ...]:
    return tuple(_one(name, unit, words, read, index) for index in range(len(WINDOW_NAMES)))


def _one(name: str, unit: str, words: str, read: Read, index: int) -> Feature:
    return Feature(
        f"{name}_{WINDOW_NAMES[index]}",
        "velocity",
        unit,  # type: ignore[arg-type]
        f"近{WINDOW_WORDS[index]}{words}",
        lambda m: read(m.windows[index]),
    )


def _counted(name: str, code: int, words: str) -> tuple[Feature, ...]:
    return _each(f"{name}_count", "count", words, lambda w: w.counts[code])


def _to_payee(index: int) -> tuple[Feature, ...]:
    name, words = WINDOW_NAMES[index], WINDOW_WORDS[index]
    return (
        Feature(
            f"payee_paid_count_{name}",
            "velocity",
            "count",
            f"近{words}付给同一收款人的笔数",
            lambda m: m.windows[index].by_payee.get(m.payee_key, 0) if m.payee_key else 0,
        ),
        Feature(
            f"payee_paid_sum_{name}",
            "velocity",
            "yuan",
            f"近{words}付给同一收款人的总额",
            lambda m: m.windows[index].sum_by_payee_fen.get(m.payee_key, 0) / 100 if m.payee_key else 0,
        ),
    )


def _sum_with_this(m: Moment, index: int) -> float:
    return m.windows[index].sums_fen[PAID] / 100 + m.amount


FEATURES = (
    *(feature for name, (code, words) in COUNTED.items() for feature in _counted(name, code, words)),
    *_each("paid_sum", "yuan", "付款总额", lambda w: w.sums_fen[PAID] / 100),
    *_each("paid_max", "yuan", "最大一笔付款", lambda w: w.max_fen / 100),
    *_each("paid_payees", "count", "付过的收款人数", lambda w: w.payees),
    *_each("paid_night", "count", "夜间付款笔数", lambda w: w.night),
    *(feature for index in range(len(WINDOW_NAMES)) for feature in _to_payee(index)),
    Feature(
        "paid_rate_1d_to_30d",
        "velocity",
        "ratio",
        "24小时付款笔数是30天日均的几倍",
        lambda m: ratio(m.windows[2].counts[PAID] + 1, (m.windows[4].counts[PAID] + 1) / 30, 100),
    ),
    Feature(
        "paid_sum_1d_to_30d",
        "velocity",
        "ratio",
        "24小时付款总额（含这笔）是30天日均的几倍",
        lambda m: ratio(_sum_with_this(m, 2), m.paid_30d / 30),
    ),
    Feature(
        "paid_sum_1h_share_of_balance",
        "velocity",
        "share",
        "1小时付款总额（含这笔）占余额的份额",
        lambda m: ratio(_sum_with_this(m, 1), m.available + m.windows[1].sums_fen[PAID] / 100, 10),
    ),
    Feature(
        "paid_sum_1d_share_of_balance",
        "velocity",
        "share",
        "24小时付款总额（含这笔）占余额的份额",
        lambda m: ratio(_sum_with_this(m, 2), m.available + m.windows[2].sums_fen[PAID] / 100, 10),
    ),
    Feature(
        "drafts_to_paid_1d",
        "velocity",
        "ratio",
        "24小时内起草与付款之比",
        lambda m: ratio(m.windows[2].counts[DRAFTED], m.windows[2].counts[PAID] + 1, 100),
    ),
    Feature(
        "new_payee_share_30d",
        "velocity",
        "share",
        "30天付款中首次付款的份额",
        lambda m: ratio(m.windows[4].counts[PAID_NEW], m.windows[4].counts[PAID], 1),
    ),
    Feature("login_devices_7d", "velocity", "count", "7天内登录用过的设备数", lambda m: m.windows[3].devices),
    flag("burst_5m", "velocity", "5分钟内第三笔或更多付款", lambda m: m.windows[0].counts[PAID] >= 2),
)
