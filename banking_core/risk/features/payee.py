"""Whom the money goes to: novelty, age, history, and what others do with the same account."""

from __future__ import annotations

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import Moment, ratio

MINUTE_DAYS = 1 / 1440


def _named(m: Moment) -> bool:
    return bool(m.payee_key)


def _first_time(m: Moment) -> bool:
    return _named(m) and m.paid_count_to_payee == 0


def _name_known(m: Moment) -> bool:
    return m.payee is not None and bool(m.payee.name_key) and m.payee.name_key in m.profile.names


def _book_younger(words: str, name: str, days: float) -> Feature:
    return flag(
        f"payee_added_within_{name}",
        "payee",
        f"收款人{words}内才加进收款人本",
        lambda m: _named(m) and m.book_age_days <= days,
    )


FEATURES = (
    flag("payee_named", "payee", "有指定的收款人", _named),
    flag("payee_first_time", "payee", "第一次付给这个账户", _first_time),
    flag("payee_name_known", "payee", "以前付过同名的人", _name_known),
    flag(
        "payee_unknown_wholly", "payee", "账户和姓名都没付过", lambda m: _first_time(m) and not _name_known(m)
    ),
    flag(
        "payee_in_book",
        "payee",
        "在收款人本里",
        lambda m: m.payee is not None and m.payee.book_created_at is not None,
    ),
    flag(
        "payee_not_in_book",
        "payee",
        "不在收款人本里",
        lambda m: _named(m) and m.payee is not None and m.payee.book_created_at is None,
    ),
    flag(
        "payee_has_nickname", "payee", "收款人有称呼", lambda m: m.payee is not None and m.payee.has_nickname
    ),
    flag("payee_other_bank", "payee", "收款账户在他行", lambda m: m.payee is not None and m.payee.other_bank),
    flag(
        "payee_own_account",
        "payee",
        "收款账户是本人的",
        lambda m: m.payee is not None and m.payee.own_account,
    ),
    Feature("payee_book_age_days", "payee", "days", "收款人加入至今", lambda m: m.book_age_days),
    _book_younger("10分钟", "10m", 10 * MINUTE_DAYS),
    _book_younger("1小时", "1h", 1 / 24),
    _book_younger("24小时", "24h", 1.0),
    _book_younger("7天", "7d", 7.0),
    Feature("payee_first_paid_days", "payee", "days", "第一次付给他至今", lambda m: m.payee_first_days),
    Feature("payee_last_paid_days", "payee", "days", "上次付给他至今", lambda m: m.payee_last_days),
    Feature("payee_times_paid", "payee", "count", "付给他的次数", lambda m: m.paid_count_to_payee),
    Feature("payee_sum_paid_yuan", "payee", "yuan", "付给他的总额", lambda m: m.paid_sum_to_payee),
    Feature(
        "payee_share_of_orders",
        "payee",
        "share",
        "本人付款中付给他的份额",
        lambda m: ratio(m.paid_count_to_payee, m.habit.count, 1),
    ),
    Feature(
        "payee_amount_to_mean",
        "payee",
        "ratio",
        "金额是付给他的均值的几倍",
        lambda m: ratio(m.amount * m.paid_count_to_payee, m.paid_sum_to_payee),
    ),
    Feature(
        "payee_amount_to_max",
        "payee",
        "ratio",
        "金额是付给他最大一笔的几倍",
        lambda m: ratio(m.amount, m.paid_max_to_payee),
    ),
    flag("payee_paid_today_first", "payee", "24小时内才第一次付给他", lambda m: m.payee_first_days <= 1),
    flag("payee_paid_week_first", "payee", "7天内才第一次付给他", lambda m: m.payee_first_days <= 7),
    flag(
        "payee_test_then_more",
        "payee",
        "先付过小额试探，这笔至少十倍",
        lambda m: m.payee_first_days <= 2 and 0 < m.paid_max_to_payee * 10 <= m.amount,
    ),
    Feature(
        "payee_book_size", "payee", "count", "收款人本里的人数", lambda m: m.payee.book_size if m.payee else 0
    ),
    Feature(
        "payee_senders_1d",
        "payee",
        "count",
        "24小时内付给同一账户的其他客户数",
        lambda m: m.payee.senders_1d if m.payee else 0,
    ),
    Feature(
        "payee_senders_7d",
        "payee",
        "count",
        "7天内付给同一账户的其他客户数",
        lambda m: m.payee.senders_7d if m.payee else 0,
    ),
    flag(
        "payee_new_and_shared",
        "payee",
        "第一次付，且同一账户近日有多位客户付过",
        lambda m: m.payee is not None and _first_time(m) and m.payee.senders_7d >= 3,
    ),
    flag(
        "payee_new_and_drains",
        "payee",
        "第一次付，且转走九成以上余额",
        lambda m: _first_time(m) and m.available > 0 and m.amount >= 0.9 * m.available,
    ),
    Feature(
        "payee_new_amount_z",
        "payee",
        "std",
        "第一次付时，金额比习惯高几个标准差",
        lambda m: m.log_z if _first_time(m) else 0.0,
    ),
)
