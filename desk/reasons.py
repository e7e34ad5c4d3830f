"""Why a customer waits for a human, in the words the queue shows."""

from __future__ import annotations

AGENT_ABSENT = "agent_absent"
OTHER_TEXT = "其他"

REASON_TEXT: dict[str, str] = {
    "asked": "客户要求",
    "clarification_failed": "两次没听懂",
    "complaint": "投诉",
    "distress": "情绪危急",
    "risk": "风险核实",
    "scam": "疑似被骗",
    "verification_failed": "身份验证没通过",
    "vip": "贵宾客户",
    "transferred": "同事转来",
    AGENT_ABSENT: "坐席掉线，重新排队",
}


def reason_text(code: str | None) -> str:
    """The Chinese reason; an unknown code is 其他."""
    return REASON_TEXT.get(code or "", OTHER_TEXT)
