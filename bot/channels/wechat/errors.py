"""What the WeChat channel refuses, and what Tencent refuses.

WechatError                 code
├── CallbackRefused         a request that Tencent did not make, or not now: answered with `status` and no words
│   ├── SignatureWrong
│   ├── OutOfTime           its timestamp is not of these minutes
│   ├── Replayed            its nonce was used for something else, or too often
│   ├── EnvelopeWrong       it cannot be opened with our key, or was sealed for another account
│   ├── XmlRefused          not XML, not UTF-8, or with what only an attack needs
│   ├── CallsTooMany
│   └── NotHandled           ours to mend; Tencent tries again
├── ApiError                Tencent's `errcode`
│   ├── TokenRefused        40001, 40014, 42001: the access token is no longer good
│   ├── WindowClosed        45015: the customer wrote too long ago
│   ├── QuotaSpent          45047: as many messages as are allowed
│   ├── Unreachable         43004, 43019, 50005: the customer does not follow the account
│   ├── MediumLost           40007: Tencent does not know this media id any more
│   └── NotAllowed          40200, 48001, 48002: this kind of account may not do it
├── ApiUnavailable          no answer, or 'busy': trying again later is right
├── RecordingRefused        a voice message that is no recording we can read
│   └── RecordingTooLong
├── DecoderFailed           the decoder ended without an answer
├── EarsFailed              nobody can hear now
├── DrawingFailed           a card that no picture could be made of
└── MenuInvalid             the menu file cannot be used
"""

from __future__ import annotations

from typing import ClassVar


class WechatError(Exception):
    """Root of the channel's errors."""

    code: ClassVar[str] = "wechat_error"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.code)


class CallbackRefused(WechatError):
    """A callback that is not answered."""

    code = "callback_refused"
    status: ClassVar[int] = 403


class SignatureWrong(CallbackRefused):
    """Not signed with our token."""

    code = "signature_wrong"


class OutOfTime(CallbackRefused):
    """Signed at another time."""

    code = "out_of_time"


class Replayed(CallbackRefused):
    """Seen before."""

    code = "replayed"


class EnvelopeWrong(CallbackRefused):
    """Not sealed for us."""

    code = "envelope_wrong"


class XmlRefused(CallbackRefused):
    """Not a message."""

    code = "xml_refused"
    status = 400


class CallsTooMany(CallbackRefused):
    """Unsigned, and one of many from its address."""

    code = "calls_too_many"
    status = 429


class NotHandled(CallbackRefused):
    """The message could not be handled now."""

    code = "not_handled"
    status = 503


class ApiError(WechatError):
    """Tencent said no; `errcode` is theirs."""

    code = "api_error"
    errcodes: ClassVar[frozenset[int]] = frozenset()

    def __init__(self, errcode: int, errmsg: str = "") -> None:
        super().__init__(f"errcode={errcode} {errmsg[:120]}".strip())
        self.errcode = errcode


class TokenRefused(ApiError):
    """The access token is old or void."""

    code = "token_refused"
    errcodes = frozenset({40001, 40014, 42001})


class WindowClosed(ApiError):
    """The time in which we may write has passed."""

    code = "window_closed"
    errcodes = frozenset({45015})


class QuotaSpent(ApiError):
    """No more messages until the customer writes."""

    code = "quota_spent"
    errcodes = frozenset({45047})


class Unreachable(ApiError):
    """Nobody follows us under this openid."""

    code = "unreachable"
    errcodes = frozenset({43004, 43019, 50005})


class MediumLost(ApiError):
    """A picture that was uploaded too long ago."""

    code = "medium_lost"
    errcodes = frozenset({40007})


class NotAllowed(ApiError):
    """The account has not the right."""

    code = "not_allowed"
    errcodes = frozenset({40200, 48001, 48002})


class ApiUnavailable(WechatError):
    """No answer, or none that can be read."""

    code = "api_unavailable"


class RecordingRefused(WechatError):
    """Neither AMR nor Speex as it is known, or nothing in it."""

    code = "recording_refused"


class RecordingTooLong(RecordingRefused):
    """Longer than WeChat lets anybody speak."""

    code = "recording_too_long"


class DecoderFailed(WechatError):
    """Out of time, out of memory, or broken."""

    code = "decoder_failed"


class EarsFailed(WechatError):
    """No model to hear with, or it broke."""

    code = "ears_failed"


class DrawingFailed(WechatError):
    """Ours to mend; the words are sent without it."""

    code = "drawing_failed"


class MenuInvalid(WechatError):
    """The menu's file is not a menu; the text says why."""

    code = "menu_invalid"


KINDS: tuple[type[ApiError], ...] = (
    TokenRefused,
    WindowClosed,
    QuotaSpent,
    Unreachable,
    MediumLost,
    NotAllowed,
)
BUSY = frozenset({-1, 45009, 45011})  # busy; too often today; too often this minute


def api_error(errcode: int, errmsg: str) -> WechatError:
    """The error that belongs to Tencent's code."""
    if errcode in BUSY:
        return ApiUnavailable(f"errcode={errcode}")
    kind = next((kind for kind in KINDS if errcode in kind.errcodes), ApiError)
    return kind(errcode, errmsg)
