"""Who the customer is to the bank."""

from __future__ import annotations

from datetime import UTC, datetime, time

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import NEVER_DAYS, Moment


def _years(m: Moment) -> float:
    days = (m.bank_time.date() - m.context.customer.birth_date).days
    return min(max(days / 365.25, 0.0), 120.0)


def _tenure_days(m: Moment) -> float:
    seconds = (m.context.at - m.context.customer.created_at).total_seconds()
    return min(max(seconds / 86_400, 0.0), 10 * NEVER_DAYS)


def _account_age_days(m: Moment) -> float:
    account = m.context.account
    if account is None:
        return 0.0
    opened = datetime.combine(account.opened_on, time.min, tzinfo=UTC)
    return min(max((m.context.at - opened).total_seconds() / 86_400, 0.0), 10 * NEVER_DAYS)


def _level(name: str, words: str) -> Feature:
    return flag(f"level_{name}", "customer", f"客户等级是{words}", lambda m: m.context.customer.level == name)


FEATURES = (
    Feature("customer_years", "customer", "years", "客户年龄", _years),
    flag("customer_young", "customer", "不满25岁", lambda m: _years(m) < 25),
    flag("customer_senior", "customer", "60岁以上", lambda m: _years(m) >= 60),
    flag("customer_elder", "customer", "70岁以上", lambda m: _years(m) >= 70),
    Feature("tenure_days", "customer", "days", "成为客户至今", _tenure_days),
    flag("tenure_short", "customer", "成为客户不到90天", lambda m: _tenure_days(m) < 90),
    Feature("account_age_days", "customer", "days", "付款账户开户至今", _account_age_days),
    flag(
        "account_young",
        "customer",
        "付款账户开户不到30天",
        lambda m: m.context.account is not None and _account_age_days(m) < 30,
    ),
    flag(
        "account_credit",
        "customer",
        "从信用卡付款",
        lambda m: m.context.account is not None and m.context.account.kind == "credit",
    ),
    flag(
        "account_deposit",
        "customer",
        "从存款账户付款",
        lambda m: m.context.account is not None and m.context.account.kind == "deposit",
    ),
    flag(
        "account_default",
        "customer",
        "从默认账户付款",
        lambda m: m.context.account is not None and m.context.account.is_default,
    ),
    Feature("accounts_count", "customer", "count", "客户的账户数", lambda m: m.context.customer.accounts),
    _level("standard", "普通"),
    _level("gold", "金卡"),
    _level("vip", "贵宾"),
    flag(
        "senior_and_first_payee",
        "customer",
        "60岁以上，收款人是第一次",
        lambda m: _years(m) >= 60 and bool(m.payee_key) and m.paid_count_to_payee == 0,
    ),
)
