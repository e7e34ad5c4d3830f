"""What the voiceprints refuse. A voice that does not fit is an outcome, so that its counting is committed.

BankError
├── NotFound
│   ├── VoiceprintMissing       there is none to cancel
│   └── VoicePromptUnknown      no such spoken password of this customer for this purpose
├── Conflict
│   ├── VoiceEnrolmentStale     no enrolment under way, or it took too long
│   └── VoiceConsentMissing     recording before the customer agreed, or over another one without proof
└── Refused
    └── VoiceUnavailable        the bank hears no voices here
"""

from __future__ import annotations

from banking_core.errors import Conflict, NotFound, Refused


class VoiceprintMissing(NotFound):
    """There is no voiceprint of this customer."""

    code = "voiceprint_missing"
    default_customer_text = "您还没有开通声纹，不用取消。想开通可以说“开通声纹”。"


class VoicePromptUnknown(NotFound):
    """No such spoken password of this customer, or for something else, or used already."""

    code = "voice_prompt_unknown"
    default_customer_text = "这组数字已经失效，请重新来一次。"


class VoiceEnrolmentStale(Conflict):
    """The enrolment is over, or took too long."""

    code = "voice_enrolment_stale"
    default_customer_text = "这次录制已经超时，什么都没有留下。要录请重新说“开通声纹”。"


class VoiceConsentMissing(Conflict):
    """The customer has not agreed to the explanation as it reads now, or not with what a second recording wants."""

    code = "voice_consent_missing"
    default_customer_text = "录声纹要先经过您同意，请说“开通声纹”。"


class VoiceUnavailable(Refused):
    """Nothing here can compare voices."""

    code = "voice_unavailable"
    default_customer_text = "声纹现在用不了，请用短信验证码办理，或者说“转人工”。"
