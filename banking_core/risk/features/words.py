"""What a feature says, in words an operator reads."""

from __future__ import annotations

from banking_core.risk.features.feature import Feature

_UNITS = {
    "yuan": "元",
    "days": "天",
    "hours": "小时",
    "minutes": "分钟",
    "s": "秒",
    "years": "岁",
    "hour": "点",
    "cps": "字/秒",
    "std": "个标准差",
    "ratio": "倍",
}


def in_words(feature: Feature, value: float) -> str:
    """`收款人加入至今 0.02天`; a flag that is not set is negated."""
    if feature.is_flag:
        return feature.meaning if value else f"并非“{feature.meaning}”"
    if feature.unit == "share":
        return f"{feature.meaning} {value:.0%}"
    number = f"{value:.0f}" if value == int(value) else f"{value:.2f}"
    return f"{feature.meaning} {number}{_UNITS.get(feature.unit, '')}"
