"""An account for tests, and what Tencent would send to it."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.channels.wechat.account import Account, Mode
from bot.channels.wechat.callback import Stamp
from bot.channels.wechat.sealing import signature

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
APP_ID, TOKEN = "wx5823bf96d3bd56c7", "aTokenForTests1"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
OPENID = "oDF3iYx0ro3_7jD4HFRDfrjdCM58"


def account(mode: Mode = "safe") -> Account:
    """One of each mode."""
    return Account(APP_ID, "a-secret-for-tests", TOKEN, AES_KEY, mode)


def stamp(at: datetime = NOW, nonce: str = "n1", envelope: str = "") -> Stamp:
    """A stamp signed at `at`, for an envelope too if there is one."""
    timestamp = str(int(at.timestamp()))
    return Stamp(
        signature(TOKEN, timestamp, nonce),
        timestamp,
        nonce,
        signature(TOKEN, timestamp, nonce, envelope) if envelope else "",
    )


def text_xml(content: str = "查余额", message_id: int = 1, openid: str = OPENID) -> str:
    """A text message."""
    return (
        f"<xml><ToUserName><![CDATA[gh_bank]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{int(NOW.timestamp())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content><MsgId>{message_id}</MsgId></xml>"
    )
