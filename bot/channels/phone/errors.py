"""What the phone channel refuses and what can fail in it, each with a machine-readable code.

PhoneError               code
├── CallRefused          the call does not begin; the line tells its side with `sip_status`
│   ├── StrangerRefused  the address may not call here
│   ├── SignatureRefused the carrier's signature does not fit
│   ├── TokenRefused     the sound is of no call that was announced just now
│   ├── LineBusy         as many calls as are allowed are going on
│   ├── CallsTooFast     too many calls begun lately
│   └── NoCommonCodec    neither PCMU nor PCMA is offered, or no audio at all
├── VoiceRefused         a recording that no voice can be taken from, or a voiceprint that cannot be used
│   ├── NoSpeech         there is next to no speech in it
│   ├── VoicesDiffer     the enrolments are not one voice
│   ├── OtherModel       the template was made by other weights: enrol again
│   └── TemplateUnreadable the bytes are no template
├── VisitorGone          the session of the page that calls has ended
├── MalformedMessage     what came over the wire cannot be read
└── StageFailed          one stage of the conversation failed: `stage` says which
    ├── HearingFailed    the recogniser
    ├── SpeakingFailed   the voice
    └── VoiceprintFailed the speaker encoder
"""

from __future__ import annotations

from typing import ClassVar


class PhoneError(Exception):
    """Root of the phone channel's errors; the words are for the log and hold nothing a caller said."""

    code: ClassVar[str] = "phone_error"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.code)


class CallRefused(PhoneError):
    """The call does not begin."""

    code = "call_refused"
    sip_status: ClassVar[int] = 403
    http_status: ClassVar[int] = 403


class StrangerRefused(CallRefused):
    """The address is not among those that may call."""

    code = "stranger_refused"


class SignatureRefused(CallRefused):
    """The request was not signed with the carrier's secret."""

    code = "signature_refused"


class TokenRefused(CallRefused):
    """The sound of a call that was not announced, or too long ago, or has begun already."""

    code = "token_refused"


class LineBusy(CallRefused):
    """No line is free, in all or for this caller."""

    code = "line_busy"
    sip_status = 486
    http_status = 503


class CallsTooFast(CallRefused):
    """Calls begin faster than allowed, in all or from this address."""

    code = "calls_too_fast"
    sip_status = 503
    http_status = 429


class NoCommonCodec(CallRefused):
    """The offer has no audio that can be spoken here."""

    code = "no_common_codec"
    sip_status = 488
    http_status = 400


class VisitorGone(PhoneError):
    """The page's session has ended: nothing more is done in its name."""

    code = "visitor_gone"


class MalformedMessage(PhoneError):
    """A message of the line that cannot be read; nothing of it was acted upon."""

    code = "malformed_message"


class VoiceRefused(PhoneError):
    """A recording that no voice can be taken from, or a voiceprint that cannot be used."""

    code = "voice_refused"


class NoSpeech(VoiceRefused):
    """There is next to no speech in the recording."""

    code = "no_speech"


class VoicesDiffer(VoiceRefused):
    """The enrolments do not sound like one voice."""

    code = "voices_differ"


class OtherModel(VoiceRefused):
    """The template was made by other weights than those that are loaded; the customer enrols again."""

    code = "voiceprint_other_model"


class TemplateUnreadable(VoiceRefused):
    """The bytes are no template."""

    code = "template_unreadable"


class StageFailed(PhoneError):
    """A stage of the conversation failed; the caller is told in a sentence that needs no such stage."""

    code = "stage_failed"
    stage: ClassVar[str] = "unknown"


class HearingFailed(StageFailed):
    """The recogniser is missing or broke down."""

    code = "hearing_failed"
    stage = "hearing"


class SpeakingFailed(StageFailed):
    """The voice is missing or broke down."""

    code = "speaking_failed"
    stage = "speaking"


class VoiceprintFailed(StageFailed):
    """The speaker encoder is missing or broke down."""

    code = "voiceprint_failed"
    stage = "voiceprint"
