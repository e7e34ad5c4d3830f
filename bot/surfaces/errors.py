"""What any page's requests may be refused for: a machine-readable code, an HTTP status and one Chinese sentence.

SurfaceError
├── BadRequest   malformed JSON, a missing field, a text that is too long
├── CrossSite    the request does not come from our own page
├── TooFast      a rate limit; retry_after_s says when to come back
└── WebError, DeskError: what one channel refuses, in its own package
"""

from __future__ import annotations

from typing import Any, ClassVar


class SurfaceError(Exception):
    """Root of everything a page may be refused."""

    code: ClassVar[str] = "surface_error"
    status: ClassVar[int] = 400
    default_text: ClassVar[str] = "这个操作没有办成，请刷新页面再试。"

    def __init__(self, text: str | None = None, **details: Any) -> None:
        super().__init__(self.code)
        self.text = text or self.default_text
        self.details = details

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": {"code": self.code, "text": self.text, **self.details}}


class BadRequest(SurfaceError):
    """The request or frame cannot be read."""

    code = "bad_request"
    default_text = "这条内容没法识别，请刷新页面后再试。"


class CrossSite(SurfaceError):
    """The request was not made by our own page."""

    code = "cross_site"
    status = 403
    default_text = "这个请求不是从本页面发出的，已经拦下。"


class TooFast(SurfaceError):
    """A rate limit was hit; `retry_after_s` is in the details."""

    code = "too_fast"
    status = 429
    default_text = "操作太快了，请稍等几秒再试。"

    def __init__(self, text: str | None = None, *, retry_after_s: float) -> None:
        super().__init__(text, retry_after_s=round(max(retry_after_s, 0.1), 1))
