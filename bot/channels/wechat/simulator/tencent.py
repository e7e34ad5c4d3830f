"""What the simulator knows: followers with their quotas and inboxes, access tokens, media, the menu."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from banking_core.clock import Clock
from bot.channels.wechat.account import Account

TEXT_BYTES_MAX = 2048
TOKEN_LIFE_S = 7200
MESSAGE_QUOTA, MESSAGE_WINDOW = 5, timedelta(hours=48)
IMAGE_BYTES_MAX, MEDIA_LIFE = 10 * 1024 * 1024, timedelta(days=3)
EVENT_QUOTA, EVENT_WINDOW = 3, timedelta(minutes=1)


class Refusal(Exception):
    """An errcode to answer with."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode, self.errmsg = errcode, errmsg


@dataclass
class Shown:
    """One thing on a follower's screen. `how`: 'answer', 'service', 'template', or 'fault' for Tencent's own words."""

    how: str
    kind: str
    text: str
    items: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@dataclass
class Line:
    """A follower as the account sees it."""

    openid: str
    following: bool = True
    quota_left: int = 0
    window_until: datetime | None = None
    screen: list[Shown] = field(default_factory=list)


class Tencent:
    """The state of the simulator, for one account."""

    def __init__(self, account: Account, clock: Clock, *, menus_allowed: bool = True) -> None:
        self.account, self.clock = account, clock
        self.menus_allowed = menus_allowed
        self.lines: dict[str, Line] = {}
        self.media: dict[str, bytes] = {}
        self._media_until: dict[str, datetime] = {}  # of what the account uploaded
        self.menu: dict[str, Any] | None = None
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, list[int]] = {}  # path to errcodes that come first
        self._tokens: dict[str, datetime] = {}
        self._codes: dict[str, str] = {}
        self._templates: set[str] = set()
        # From the time on, so that a simulator that is started again repeats no message's number.
        self._numbers = int(clock.now().timestamp() * 1000)

    def number(self) -> int:
        """The next message id."""
        self._numbers += 1
        return self._numbers

    def line(self, openid: str) -> Line:
        """The follower's line, made at first use."""
        return self.lines.setdefault(openid, Line(openid))

    def wrote(self, openid: str) -> None:
        """A message opens five answers for two days."""
        self._open(openid, MESSAGE_QUOTA, MESSAGE_WINDOW)

    def acted(self, openid: str) -> None:
        """A click, a scan, a subscription opens three for a minute."""
        self._open(openid, EVENT_QUOTA, EVENT_WINDOW)

    def _open(self, openid: str, quota: int, window: timedelta) -> None:
        line, now = self.line(openid), self.clock.now()
        live = line.window_until is not None and now < line.window_until
        line.quota_left = max(line.quota_left if live else 0, quota)
        line.window_until = max(line.window_until or now, now + window)

    def fail_next(self, path: str, *errcodes: int) -> None:
        """The next calls of `path` are answered with these errcodes; 0 stands for no answer at all."""
        self.faults.setdefault(path, []).extend(errcodes)

    def count(self, path: str) -> None:
        """A call came in; raises Refusal when a fault is due."""
        self.calls[path] += 1
        if self.faults.get(path):
            raise Refusal(self.faults[path].pop(0), "simulated fault")

    def issue(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """stable_token: the same token while it is good, a new one by force, which ends the old one."""
        if body.get("appid") != self.account.app_id:
            raise Refusal(40013, "invalid appid")
        if body.get("secret") != self.account.app_secret:
            raise Refusal(40125, "invalid appsecret")
        now = self.clock.now()
        good = [token for token, until in self._tokens.items() if now < until - timedelta(minutes=5)]
        if body.get("force_refresh"):
            self._tokens.clear()
            good = []
        if not good:
            good = [secrets.token_hex(16)]
            self._tokens[good[0]] = now + timedelta(seconds=TOKEN_LIFE_S)
        left_s = int((self._tokens[good[0]] - now).total_seconds())
        return {"access_token": good[0], "expires_in": left_s}

    def void_tokens(self) -> None:
        """Every token stops working: somebody else took a new one."""
        self._tokens.clear()

    def require_token(self, token: str) -> None:
        """Raises Refusal for a token that is not good."""
        until = self._tokens.get(token)
        if until is None:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
        if self.clock.now() >= until:
            raise Refusal(42001, "access_token expired")

    def send(self, body: Mapping[str, Any]) -> None:
        """A customer-service message, within every limit."""
        line = self._reachable(body.get("touser"))
        shown = self._shown(body)
        if line.window_until is None or self.clock.now() >= line.window_until:
            raise Refusal(45015, "response out of time limit or subscription is canceled")
        if line.quota_left <= 0:
            raise Refusal(45047, "out of response count limit")
        line.quota_left -= 1
        line.screen.append(shown)

    def _shown(self, body: Mapping[str, Any]) -> Shown:
        kind = body.get("msgtype")
        content = body.get(str(kind))
        if not isinstance(content, dict):
            raise Refusal(40008, "invalid message type")
        match kind:
            case "text":
                return Shown("service", "text", _text(content.get("content")))
            case "image":
                self.require_medium(str(content.get("media_id")))
                return Shown("service", "image", str(content["media_id"]))
            case "news":
                article = content["articles"][0]
                text = f"{article['title']}\n{article['description']}"
                return Shown("service", "news", text, url=article["url"])
            case "msgmenu":
                if not self.menus_allowed:
                    raise Refusal(40200, "invalid account type")
                items = [(str(item["id"]), str(item["content"])) for item in content["list"]]
                if not 0 < len(items) <= 10:
                    raise Refusal(45098, "msgmenu list size is out of limit")
                return Shown("service", "menu", _text(content["head_content"]), items)
            case _:
                raise Refusal(40008, "invalid message type")

    def send_template(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A template message; the same client_msg_id is shown once."""
        line = self._reachable(body.get("touser"))
        for value in body["data"].values():
            if len(value["value"]) > 20:
                raise Refusal(47003, "argument invalid")
        once_key = str(body.get("client_msg_id", ""))
        if once_key not in self._templates:
            self._templates.add(once_key)
            text = "\n".join(value["value"] for value in body["data"].values())
            line.screen.append(Shown("template", "template", text, url=str(body.get("url", ""))))
        return {"msgid": self.number()}

    def create_menu(self, body: Mapping[str, Any]) -> None:
        """Keeps the menu; Tencent's limits hold."""
        buttons = body.get("button")
        if not isinstance(buttons, list) or not 0 < len(buttons) <= 3:
            raise Refusal(40016, "invalid button size")
        if any(len(button.get("sub_button", [])) > 5 for button in buttons):
            raise Refusal(40023, "invalid sub button size")
        self.menu = dict(body)

    def require_medium(self, media_id: str) -> bytes:
        """Raises Refusal for a medium that is not there, or no longer."""
        until = self._media_until.get(media_id)
        if media_id not in self.media or (until is not None and self.clock.now() >= until):
            raise Refusal(40007, "invalid media_id")
        return self.media[media_id]

    def upload(self, content: bytes) -> dict[str, Any]:
        """Keeps an image for three days."""
        if not content.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff")):
            raise Refusal(40005, "invalid file type")
        if len(content) > IMAGE_BYTES_MAX:
            raise Refusal(40009, "invalid image size")
        media_id = f"media-{self.number()}"
        self.media[media_id] = content
        self._media_until[media_id] = self.clock.now() + MEDIA_LIFE
        return {"type": "image", "media_id": media_id, "created_at": int(self.clock.now().timestamp())}

    def authorise(self, openid: str) -> str:
        """The follower agreed on the authorisation page: a code for one use."""
        code = secrets.token_hex(8)
        self._codes[code] = openid
        return code

    def redeem(self, app_id: str, app_secret: str, code: str) -> dict[str, Any]:
        """The openid behind a code."""
        if (app_id, app_secret) != (self.account.app_id, self.account.app_secret):
            raise Refusal(40125, "invalid appsecret")
        openid = self._codes.pop(code, None)
        if openid is None:
            raise Refusal(40029, "invalid code")
        return {"access_token": secrets.token_hex(8), "openid": openid, "scope": "snsapi_base"}

    def _reachable(self, openid: Any) -> Line:
        line = self.lines.get(openid) if isinstance(openid, str) else None
        if line is None:
            raise Refusal(40003, "invalid openid")
        if not line.following:
            raise Refusal(43004, "require subscribe")
        return line


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Refusal(44004, "empty content")
    if len(value.encode()) > TEXT_BYTES_MAX:
        raise Refusal(45002, "content size out of limit")
    return value
