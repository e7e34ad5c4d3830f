"""What the web channel refuses, each with a machine-readable code, an HTTP status and one Chinese sentence.

WebError
├── BadRequest          malformed JSON, a missing field, a text that is too long
├── NoSession           no cookie, an unknown or an expired one
├── CrossSite           the request does not come from our own page
├── TooFast             a rate limit; retry_after_s says when to come back
├── LoginRefused        wrong password or code
└── RecoveryRefused     wrong code or papers
"""

from __future__ import annotations

from typing import Any, ClassVar


class WebError(Exception):
    """Root of everything the web channel refuses."""

    code: ClassVar[str] = "web_error"
    status: ClassVar[int] = 400
    default_text: ClassVar[str] = "这个请求没有办成，请刷新页面再试。"

    def __init__(self, text: str | None = None, **details: Any) -> None:
        super().__init__(self.code)
        self.text = text or self.default_text
        self.details = details

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": {"code": self.code, "text": self.text, **self.details}}


class BadRequest(WebError):
    """The request or frame cannot be read."""

    code = "bad_request"
    default_text = "这条内容没法识别，请刷新页面后再试。"


class NoSession(WebError):
    """There is no live session behind the cookie."""

    code = "no_session"
    status = 401
    default_text = "页面停留太久，已经失效了，请刷新页面。"


class CrossSite(WebError):
    """The request was not made by our own page."""

    code = "cross_site"
    status = 403
    default_text = "这个请求不是从本页面发出的，已经拦下。"


class TooFast(WebError):
    """A rate limit was hit; `retry_after_s` is in the details."""

    code = "too_fast"
    status = 429
    default_text = "操作太快了，请稍等几秒再试。"

    def __init__(self, text: str | None = None, *, retry_after_s: float) -> None:
        super().__init__(text, retry_after_s=round(max(retry_after_s, 0.1), 1))


class LoginRefused(WebError):
    """The password or the code is not right; `tries_left` or `locked_until` is in the details."""

    code = "login_refused"
    status = 401


class RecoveryRefused(WebError):
    """Code and papers do not fit; `tries_left` or `locked_until` is in the details."""

    code = "recovery_refused"
    status = 401
    default_text = "验证码、姓名或身份证号码对不上，请核对后再试。"
