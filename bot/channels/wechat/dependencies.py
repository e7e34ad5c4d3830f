"""What the WeChat channel is built from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from banking_core.bank import Bank
from banking_core.clock import Clock
from banking_core.storage import Database
from bot.channels.phone.loop import Expect
from bot.channels.web.dependencies import WebDependencies
from bot.channels.wechat.account import Account
from bot.channels.wechat.api import WechatApi
from bot.channels.wechat.metrics import WechatMetrics
from bot.conversation.hub import Hub
from bot.dialogue.by_ear import ByEar
from bot.surfaces.codes import CodeReader
from bot.surfaces.rates import Rate

OAUTH_URL = "https://open.weixin.qq.com"


class VoiceReader(Protocol):
    """Ears for recordings."""

    async def hear(self, recording: bytes, expect: Expect, phrases: tuple[str, ...]) -> ByEar:
        """What was said in AMR or Speex, with what else it may have been; no text when nothing was understood.

        `expect` and `phrases` say what is likely, as in a call. Raises RecordingRefused, DecoderFailed, EarsFailed.
        """
        ...

    async def close(self) -> None:
        """After the last recording."""
        ...


class DeafReader:
    """Where nobody gave the channel ears."""

    async def hear(self, recording: bytes, expect: Expect, phrases: tuple[str, ...]) -> ByEar:
        """Nothing."""
        return ByEar()

    async def close(self) -> None:
        """Nothing to close."""


async def no_words(_customer_id: str) -> tuple[str, ...]:
    """Nobody's names."""
    return ()


async def within(task: asyncio.Future[Any], seconds: float) -> bool:
    """Whether the task is done before the seconds are over; it goes on either way."""
    done, _ = await asyncio.wait({task}, timeout=max(0.0, seconds))
    return bool(done)


@dataclass(frozen=True)
class WechatLimits:
    """Messages of one follower, and unsigned requests of one address."""

    messages: Rate = Rate(12, 1.0)
    unsigned: Rate = Rate(30, 1.0)


@dataclass(frozen=True)
class AlertTemplate:
    """A template of the account: its id, and the names its fields have there."""

    template_id: str
    fields: Mapping[str, str]  # of title, text, time


@dataclass(frozen=True)
class WechatDependencies:
    """Everything `WechatChannel` needs. `public_url` is where customers' browsers reach this server."""

    account: Account
    api: WechatApi
    hub: Hub
    bank: Bank
    database: Database
    clock: Clock
    web: WebDependencies
    public_url: str
    oauth_url: str = OAUTH_URL
    menu_messages: bool = False
    alert: AlertTemplate | None = None
    voice: VoiceReader = field(default_factory=DeafReader)
    vocabulary: Callable[[str], Awaitable[tuple[str, ...]]] = no_words  # names a customer is likely to say
    codes: CodeReader = field(default_factory=CodeReader)
    limits: WechatLimits = field(default_factory=WechatLimits)
    metrics: WechatMetrics = field(default_factory=lambda: WechatMetrics(CollectorRegistry()))
    within: Callable[[asyncio.Future[Any], float], Awaitable[bool]] = within

    @property
    def page_url(self) -> str:
        """The secure page."""
        return f"{self.public_url}/wechat/page"
