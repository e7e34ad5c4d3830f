"""Voiceprints: a second factor for those who call, recorded with consent and sealed. Knows nothing of audio."""

from banking_core.voiceprints.biometrics import (
    NOTHING_HEARD,
    Biometrics,
    Fault,
    Likeness,
    SpokenPassword,
    Tier,
    VoiceSample,
)
from banking_core.voiceprints.enrolment import EnrolmentStep
from banking_core.voiceprints.errors import (
    VoiceConsentMissing,
    VoiceEnrolmentStale,
    VoiceprintMissing,
    VoicePromptUnknown,
    VoiceUnavailable,
)
from banking_core.voiceprints.logins import VoiceLogin, VoiceLogins
from banking_core.voiceprints.orders import Explanation
from banking_core.voiceprints.prompts import VoicePrompted
from banking_core.voiceprints.recordings import Recording
from banking_core.voiceprints.service import CHANGES, Voiceprints, VoiceStatus, VoiceWay
from banking_core.voiceprints.verification import VoiceOutcome

__all__ = [
    "CHANGES",
    "NOTHING_HEARD",
    "Biometrics",
    "EnrolmentStep",
    "Explanation",
    "Fault",
    "Likeness",
    "Recording",
    "SpokenPassword",
    "Tier",
    "VoiceConsentMissing",
    "VoiceEnrolmentStale",
    "VoiceLogin",
    "VoiceLogins",
    "VoiceOutcome",
    "VoicePromptUnknown",
    "VoicePrompted",
    "VoiceSample",
    "VoiceStatus",
    "VoiceUnavailable",
    "VoiceWay",
    "VoiceprintMissing",
    "Voiceprints",
]
