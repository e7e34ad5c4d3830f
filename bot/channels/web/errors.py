"""What the web channel refuses beside what every surface does.

WebError (a SurfaceError)
├── NoSession           no cookie, an unknown or an expired one
├── NoPicture           a picture that cannot be read, or none
├── LoginRefused        wrong password or code
└── RecoveryRefused     wrong code or papers
"""

from __future__ import annotations

from bot.conversation.scans import UNREADABLE
from bot.surfaces.errors import SurfaceError


class WebError(SurfaceError):
    """Root of what only the web channel refuses."""

    code = "web_error"


class NoSession(WebError):
    """There is no live session behind the cookie."""

    code = "no_session"
    status = 401
    default_text = "页面停留太久，已经失效了，请刷新页面。"


class NoPicture(WebError):
    """What was shown is no picture that can be read."""

    code = "no_picture"
    default_text = UNREADABLE


class LoginRefused(WebError):
    """The password or the code is not right; `tries_left` or `locked_until` is in the details."""

    code = "login_refused"
    status = 401


class RecoveryRefused(WebError):
    """Code and papers do not fit; `tries_left` or `locked_until` is in the details."""

    code = "recovery_refused"
    status = 401
    default_text = "验证码、姓名或身份证号码对不上，请核对后再试。"
