"""Stretches of time that velocity is counted over, and the bank's wall clock for seconds since 1970."""

from __future__ import annotations

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0
WINDOW_NAMES = ("5m", "1h", "24h", "7d", "30d")
WINDOW_WORDS = ("5分钟", "1小时", "24小时", "7天", "30天")
WINDOWS_S = (5 * MINUTE_S, HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S)

_OFFSET_S = (
    8 * HOUR_S
)  # Asia/Shanghai keeps one offset all year; this is called hundreds of times per decision
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


def bank_hour(at_s: float) -> int:
    """Hour of the day at the bank, 0 to 23."""
    return int((at_s + _OFFSET_S) // HOUR_S) % 24


def bank_weekday(at_s: float) -> int:
    """Day of the week at the bank, Monday 0."""
    return (int((at_s + _OFFSET_S) // DAY_S) + _EPOCH_WEEKDAY) % 7
