"""Why the assistant fetches a human. What is owed to each is in the rules of the bank, section `service`."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Codes of reasons for a hand-off; some are found by the desk from what it knows (`SCAM`, `VIP`)."""

    ASKED = "asked"
    CLARIFICATION_FAILED = "clarification_failed"
    COMPLAINT = "complaint"
    DISTRESS = "distress"
    RISK = "risk"
    SCAM = "scam"
    VERIFICATION_FAILED = "verification_failed"
    VIP = "vip"
