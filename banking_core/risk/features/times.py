"""Hour and day, against the clock and against habit."""

from __future__ import annotations

import math

from banking_core.risk.features.feature import Feature, flag
from banking_core.risk.features.moment import NEVER_DAYS, Moment

SATURDAY = 5


def _angle(m: Moment) -> float:
    return 2 * math.pi * (m.bank_time.hour + m.bank_time.minute / 60) / 24


def _minutes(at_s: float, m: Moment) -> float:
    return min(m.hours_since(at_s) * 60, NEVER_DAYS)


FEATURES = (
    Feature("hour", "time", "hour", "几点", lambda m: m.bank_time.hour),
    Feature("hour_sin", "time", "ratio", "钟点的正弦", lambda m: math.sin(_angle(m))),
    Feature("hour_cos", "time", "ratio", "钟点的余弦", lambda m: math.cos(_angle(m))),
    Feature("hour_share", "time", "share", "本人在这个钟点前后付款的份额", lambda m: m.hour_share),
    flag(
        "hour_unusual",
        "time",
        "本人很少在这个钟点付款",
        lambda m: m.hours_total >= 20 and m.hour_share < 0.03,
    ),
    flag("is_night", "time", "夜间（23点到6点）", lambda m: m.bank_time.hour >= 23 or m.bank_time.hour < 6),
    flag("is_deep_night", "time", "深夜（1点到5点）", lambda m: 1 <= m.bank_time.hour < 5),
    flag(
        "is_work_hours",
        "time",
        "工作日9点到17点",
        lambda m: m.bank_time.weekday() < SATURDAY and 9 <= m.bank_time.hour < 17,
    ),
    flag("is_weekend", "time", "周末", lambda m: m.bank_time.weekday() >= SATURDAY),
    Feature("weekday", "time", "count", "星期几（周一为0）", lambda m: m.bank_time.weekday()),
    Feature("weekday_share", "time", "share", "本人在这个星期几付款的份额", lambda m: m.weekday_share),
    Feature("day_of_month", "time", "count", "几号", lambda m: m.bank_time.day),
    flag("is_month_start", "time", "月初三天", lambda m: m.bank_time.day <= 3),
    flag("is_month_end", "time", "月末", lambda m: m.bank_time.day >= 28),
    flag("is_payday", "time", "常见发薪日前后", lambda m: m.bank_time.day in (5, 8, 10, 15, 20, 25)),
    Feature(
        "minutes_since_paid",
        "time",
        "minutes",
        "上一笔付款至今的分钟数",
        lambda m: _minutes(m.profile.last_paid_s, m),
    ),
    Feature(
        "minutes_since_login",
        "time",
        "minutes",
        "上次登录至今的分钟数",
        lambda m: _minutes(m.profile.last_login_s, m),
    ),
    Feature(
        "minutes_since_seen",
        "time",
        "minutes",
        "上次见到客户至今",
        lambda m: _minutes(m.profile.last_seen_s, m),
    ),
    Feature(
        "session_minutes",
        "time",
        "minutes",
        "本次会话时长",
        lambda m: (
            _minutes(m.surroundings.session_started_at.timestamp(), m)
            if m.surroundings.session_started_at
            else 0.0
        ),
    ),
)
