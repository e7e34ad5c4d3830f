"""A simulated follower: what they do is posted to the account as Tencent posts it, again and again until answered."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.channels.wechat.sealing import Envelopes, signature
from bot.channels.wechat.simulator.tencent import TEXT_BYTES_MAX, Shown, Tencent
from bot.channels.wechat.xml import parse_xml, write_xml

RETRIES = 3
PATIENCE_S = 5.0
ACCOUNT_NAME = "gh_simulated"
PICTURE = base64.b64decode(  # one white dot
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
)
FAULT = "该公众号提供的服务出现故障，请稍后再试"

# Posts a body to the callback with a query; gives status and text, or raises TimeoutError after 5 s.
Post = Callable[[Mapping[str, str], str], Awaitable[tuple[int, str]]]
Wait = Callable[[float], Awaitable[None]]


class Follower:
    """One person with WeChat. `post` carries the callbacks, `wait` lets the seconds of a try that failed go by."""

    def __init__(self, tencent: Tencent, openid: str, post: Post, wait: Wait) -> None:
        self._tencent, self.openid = tencent, openid
        self._post, self._wait = post, wait
        self._account = tencent.account
        plain = tencent.account.mode == "plain"
        self._envelopes = None if plain else Envelopes(tencent.account.aes_key, tencent.account.app_id)
        self.line = tencent.line(openid)

    @property
    def screen(self) -> list[Shown]:
        """Everything shown so far."""
        return self.line.screen

    def texts(self) -> list[str]:
        """The words on the screen."""
        return [shown.text for shown in self.screen]

    async def say(self, text: str, *, copies: int = 1) -> None:
        """Types something; Tencent delivers it `copies` times."""
        self._tencent.wrote(self.openid)
        await self._message({"MsgType": "text", "Content": text}, copies)

    async def choose(self, item_id: str, words: str) -> None:
        """Taps an item of a menu message: counts as a click, arrives as a text."""
        self._tencent.acted(self.openid)
        await self._message({"MsgType": "text", "Content": words, "bizmsgmenuid": item_id})

    async def speak(self, recording: bytes, kind: str = "amr") -> None:
        """Sends a voice message: `kind` is 'amr' or 'speex'."""
        self._tencent.wrote(self.openid)
        media_id = f"voice-{self._tencent.number()}"
        self._tencent.media[media_id] = recording
        await self._message({"MsgType": "voice", "MediaId": media_id, "Format": kind, "Recognition": ""})

    async def show_picture(self, content: bytes = PICTURE) -> None:
        """Sends a picture."""
        self._tencent.wrote(self.openid)
        media_id = f"picture-{self._tencent.number()}"
        self._tencent.media[media_id] = content
        await self._message({"MsgType": "image", "PicUrl": "http://mmbiz.example/p", "MediaId": media_id})

    async def share_place(self, latitude: float, longitude: float, label: str) -> None:
        """Sends a place on the map."""
        self._tencent.wrote(self.openid)
        place = {"Location_X": str(latitude), "Location_Y": str(longitude), "Scale": "16", "Label": label}
        await self._message({"MsgType": "location"} | place)

    async def pass_on(self, title: str, url: str) -> None:
        """Sends a link."""
        self._tencent.wrote(self.openid)
        await self._message({"MsgType": "link", "Title": title, "Description": "", "Url": url})

    async def follow(self, scene: str = "") -> None:
        """Subscribes, perhaps by a QR code."""
        self.line.following = True
        self._tencent.acted(self.openid)
        await self._event("subscribe", f"qrscene_{scene}" if scene else "")

    async def unfollow(self) -> None:
        """Unsubscribes: nothing can be sent any more."""
        self.line.following = False
        await self._event("unsubscribe", "")

    async def scan(self, scene: str) -> None:
        """Scans a QR code as a follower."""
        self._tencent.acted(self.openid)
        await self._event("SCAN", scene)

    async def report_template(self, status: str) -> None:
        """Tencent tells the account what became of a template message to this follower."""
        event = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH"}
        await self.deliver(event | {"MsgID": str(self._tencent.number()), "Status": status})

    async def click(self, key: str) -> None:
        """Taps a button of the account's menu."""
        self._tencent.acted(self.openid)
        await self._event("CLICK", key)

    async def _message(self, fields: dict[str, Any], copies: int = 1) -> None:
        await self.deliver(fields | {"MsgId": str(self._tencent.number())}, copies)

    async def _event(self, event: str, key: str) -> None:
        await self.deliver({"MsgType": "event", "Event": event, "EventKey": key})

    async def deliver(self, fields: dict[str, Any], copies: int = 1) -> None:
        """Posts a message until it is answered, three more times at most; shows what was answered to the first copy."""
        head: dict[str, Any] = {
            "ToUserName": ACCOUNT_NAME,
            "FromUserName": self.openid,
            "CreateTime": int(self._tencent.clock.now().timestamp()),
        }
        text = write_xml(head | fields)
        answers = [await self._until_answered(text) for _ in range(copies)]
        if answers[0] is None:
            self.screen.append(Shown("fault", "text", FAULT))
        elif answers[0]:
            self.screen.append(self._read(answers[0]))

    async def _until_answered(self, text: str) -> str | None:
        for _ in range(1 + RETRIES):
            query, body = self._signed(text)
            try:
                status, answer = await self._post(query, body)
                if status == 200:
                    return "" if answer in ("", "success") else answer
            except TimeoutError:
                pass
            await self._wait(PATIENCE_S)
        return None

    def _signed(self, text: str) -> tuple[dict[str, str], str]:
        """The query and the body of one delivery, in the account's mode."""
        token, now = self._account.token, self._tencent.clock.now()
        timestamp, nonce = str(int(now.timestamp())), secrets.token_hex(5)
        query = {
            "signature": signature(token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": self.openid,
        }
        if self._envelopes is None:
            return query, text
        envelope = self._envelopes.seal(text)
        query |= {"encrypt_type": "aes", "msg_signature": signature(token, timestamp, nonce, envelope)}
        readable = parse_xml(text.encode()) if self._account.mode == "compatible" else {}
        return query, write_xml({"ToUserName": ACCOUNT_NAME} | readable | {"Encrypt": envelope})

    def _read(self, answer: str) -> Shown:
        """What WeChat would show of an answer; words of its own when it makes no sense."""
        fields = parse_xml(answer.encode())
        if self._envelopes is not None:
            token = self._account.token
            signed = signature(token, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
            if signed != fields["MsgSignature"]:
                return Shown("fault", "text", FAULT)
            fields = parse_xml(self._envelopes.open(fields["Encrypt"]).encode())
        if fields["ToUserName"] != self.openid or fields["FromUserName"] != ACCOUNT_NAME:
            return Shown("fault", "text", FAULT)
        match fields["MsgType"]:
            case "text" if len(fields["Content"].encode()) <= TEXT_BYTES_MAX:
                return Shown("answer", "text", fields["Content"])
            case "news":
                article = fields["Articles"]["item"]
                text = f"{article['Title']}\n{article['Description']}"
                return Shown("answer", "news", text, url=article["Url"])
            case "image":
                return Shown("answer", "image", fields["Image"]["MediaId"])
            case _:
                return Shown("fault", "text", FAULT)
