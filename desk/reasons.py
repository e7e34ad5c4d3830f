"""Why a customer waits for a human, in the words the queue shows."""

from __future__ import annotations

AGENT_ABSENT = "agent_absent"
OTHER_TEXT = "其他"

_TEXT: dict[str, str] = {
    "asked": "客户要求",
    "clarification_failed": "两次没听懂",
    "no_answer": "问题没有答案",
    "nlu_unavailable": "系统听不懂了",
    "understanding_unavailable": "系统听不懂了",
    "complaint": "投诉",
    "fraud": "疑似被骗",
    "fraud_suspected": "疑似被骗",
    "risk": "风险核实",
    "verification_failed": "身份验证没通过",
    "login_locked": "登录被锁定",
    "order_failed": "业务没办成",
    "skill_failed": "业务没办成",
    "technical": "系统故障",
    "special_care": "需要特别照顾",
    "transferred": "同事转来",
    AGENT_ABSENT: "坐席掉线，重新排队",
}


def reason_text(code: str | None) -> str:
    """The Chinese reason; an unknown code is 其他."""
    return _TEXT.get(code or "", OTHER_TEXT)
