"""Changes to what guards the money, and log-ins."""

from __future__ import annotations

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import NEVER_HOURS, Moment, ratio
from banking_core.risk.profile import CHANGE_KINDS, LOGGED_IN, LOGIN_FAILED

WORDS = {
    "password": "登录密码",
    "phone": "手机号",
    "device": "绑定设备",
    "limit": "限额",
    "payee": "收款人本",
    "lock": "安全锁",
}
SHARP = ("password", "phone", "device", "limit", "lock")


def _since(kind: str) -> Feature:
    return Feature(
        f"{kind}_changed_hours",
        "credentials",
        "hours",
        f"{WORDS[kind]}上次变更至今",
        lambda m: m.hours_since_change(kind),
    )


def _within_day(kind: str) -> Feature:
    return flag(
        f"{kind}_changed_24h",
        "credentials",
        f"24小时内变更过{WORDS[kind]}",
        lambda m: m.hours_since_change(kind) <= 24,
    )


def _newest_hours(m: Moment) -> float:
    return min((m.hours_since_change(kind) for kind in SHARP), default=NEVER_HOURS)


def _changed_within(m: Moment, hours: float) -> int:
    return sum(m.hours_since_change(kind) <= hours for kind in SHARP)


def _login_hour_share(m: Moment) -> float:
    hours = m.profile.login_hours
    hour = m.bank_time.hour
    return (hours[hour - 1] + hours[hour] + hours[(hour + 1) % 24] + 1) / (sum(hours) + 8)


FEATURES = (
    *(_since(kind) for kind in CHANGE_KINDS),
    *(_within_day(kind) for kind in CHANGE_KINDS),
    Feature("guard_changed_hours", "credentials", "hours", "任一安全信息上次变更至今", _newest_hours),
    Feature(
        "guards_changed_24h",
        "credentials",
        "count",
        "24小时内变更了几种安全信息",
        lambda m: _changed_within(m, 24),
    ),
    Feature(
        "guards_changed_7d",
        "credentials",
        "count",
        "7天内变更了几种安全信息",
        lambda m: _changed_within(m, 168),
    ),
    flag(
        "password_then_new_payee",
        "credentials",
        "刚改密码或手机号，收款人又是第一次",
        lambda m: (
            bool(m.payee_key)
            and m.paid_count_to_payee == 0
            and min(m.hours_since_change("password"), m.hours_since_change("phone")) <= 24
        ),
    ),
    Feature("login_hours", "login", "hours", "上次登录至今", lambda m: m.hours_since(m.profile.last_login_s)),
    Feature(
        "login_failed_since",
        "login",
        "count",
        "上次登录成功后失败的次数",
        lambda m: m.profile.failed_since_login,
    ),
    Feature("login_hour_share", "login", "share", "本人在这个钟点前后登录的份额", _login_hour_share),
    Feature(
        "login_failure_share_1d",
        "login",
        "share",
        "24小时内登录失败的份额",
        lambda m: ratio(
            m.windows[2].counts[LOGIN_FAILED],
            m.windows[2].counts[LOGIN_FAILED] + m.windows[2].counts[LOGGED_IN],
            1,
        ),
    ),
    flag("login_never", "login", "没有登录记录", lambda m: not m.profile.last_login_s),
    flag(
        "login_after_failures",
        "login",
        "三次以上失败后才登录",
        lambda m: m.windows[2].counts[LOGIN_FAILED] >= 3 and m.windows[2].counts[LOGGED_IN] > 0,
    ),
)
