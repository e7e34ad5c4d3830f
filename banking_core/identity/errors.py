"""What the identity services refuse.

A wrong proof is an outcome, not an error, so that its counting is committed.

InvalidInput  PasswordTooWeak   the new password breaks a rule; the sentence says which
InvalidInput  PasswordSame      the new password is the old one
NotFound      OtpUnknown        no such challenge, or somebody else's, or for something else
NotFound      TotpUnknown       no authenticator app is bound, or no binding waits for its code
NotFound      SessionUnknown    no such log-in of this customer, or it is over
NotFound      DeviceUnknown     no such device of this customer
InvalidInput  DeviceNameInvalid empty, too long, or with signs that cannot be shown
Conflict      LoginStale        a proof for a log-in that is over, too old, or begun elsewhere
InvalidInput  RecoveryPhoneInvalid
Conflict      RecoveryStale     a recovery that is over, too old, begun elsewhere, or not proved yet
Refused       RecoveryPaused    too many wrong tries to recover this number; retry_after_s says when
Refused       OtpTooMany        another code too soon, or too many in a day; retry_after_s says when
"""

from __future__ import annotations

import math
from datetime import datetime

from banking_core.days import wait_words
from banking_core.errors import Conflict, InvalidInput, NotFound, Refused


class PasswordTooWeak(InvalidInput):
    """The new password breaks the rules."""

    code = "password_too_weak"
    default_customer_text = "密码太简单：请用8到64位，至少包含字母、数字和符号，不要包含手机号。"


class PasswordSame(InvalidInput):
    """The new password is the old one."""

    code = "password_same"
    default_customer_text = "新密码和旧密码一样，请换一个新的。"


class OtpUnknown(NotFound):
    """No such code was sent to this customer."""

    code = "otp_unknown"
    default_customer_text = "这个验证码已经失效，请重新获取。"


class TotpUnknown(NotFound):
    """No authenticator app is bound, or the binding took too long."""

    code = "totp_unknown"
    default_customer_text = "还没有绑定动态口令，或者绑定已经超时，请重新开始绑定。"


class SessionUnknown(NotFound):
    """No such log-in of this customer, or it is over."""

    code = "session_unknown"
    default_customer_text = "没有找到这次登录，可能已经退出了，请刷新登录列表再看。"


class DeviceUnknown(NotFound):
    """No such device of this customer."""

    code = "device_unknown"
    default_customer_text = "没有找到这台设备，可能已经解绑了，请刷新设备列表再看。"


class DeviceNameInvalid(InvalidInput):
    """A device name that cannot be shown."""

    code = "device_name_invalid"
    default_customer_text = "设备名称要1到20个字，请换一个名称。"


class LoginStale(Conflict):
    """The log-in is over, took too long, or was begun in another place."""

    code = "login_stale"
    default_customer_text = "这次登录已经失效，请重新输入手机号和密码。"


class RecoveryPhoneInvalid(InvalidInput):
    """Not a phone number."""

    code = "recovery_phone_invalid"
    default_customer_text = "请输入11位手机号。"


class RecoveryStale(Conflict):
    """The recovery is over, took too long, was begun elsewhere, or nothing was proved yet."""

    code = "recovery_stale"
    default_customer_text = "这次找回密码已经失效，请从头再来一次。"


class RecoveryPaused(Refused):
    """Too many wrong tries for this phone number."""

    code = "recovery_paused"

    def __init__(self, message: str, *, until: datetime, now: datetime) -> None:
        self.retry_after_s = max(1, math.ceil((until - now).total_seconds()))
        text = f"验证失败的次数太多，请{wait_words(self.retry_after_s)}后再试，或者带身份证到网点办理。"
        super().__init__(message, customer_text=text)


class OtpTooMany(Refused):
    """The sending limit is reached; `retry_after_s` is how long to wait."""

    code = "otp_too_many"

    def __init__(self, message: str, *, retry_after_s: int, customer_text: str) -> None:
        super().__init__(message, customer_text=customer_text)
        self.retry_after_s = retry_after_s
