"""docs/wechat.md says what the channel does: its figures, addresses and refusals."""

from __future__ import annotations

import re
from pathlib import Path

from bot.channels.wechat import alerts, bindings, contacts, deliveries, intake, turns, xml
from bot.channels.wechat.callback import WINDOW
from bot.channels.wechat.channel import CALLBACK_PATH
from bot.channels.wechat.dependencies import WechatLimits
from bot.channels.wechat.texts import TEXT_BYTES_MAX
from bot.running import wechat
from bot.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "wechat.md").read_text(encoding="utf-8")
FLAT = re.sub(r"\s+", " ", PAGE)


def test_the_page_s_figures_are_the_channel_s() -> None:
    limits = WechatLimits()
    assert f"more than {WINDOW.seconds // 60} minutes off" in FLAT
    assert f"{xml.DEPTH_MAX} levels, {xml.ELEMENTS_MAX} elements or {xml.BODY_BYTES_MAX // 1024} KB" in FLAT
    assert f"{limits.messages.burst} messages at once" in FLAT
    assert f"more than {limits.unsigned.burst} unsigned requests" in FLAT
    assert f"ready within {intake.ANSWER_WITHIN_S:.0f} seconds" in FLAT
    assert intake.USES_MAX == 4 and "more than four times for the same" in FLAT
    assert f"{contacts.LEASE.seconds} seconds" in FLAT and f"every {wechat.DELIVERY_S} seconds" in FLAT
    assert f"{TEXT_BYTES_MAX:,} bytes" in FLAT
    assert f"opens {contacts.MESSAGE_QUOTA} customer-service messages for 48 hours" in FLAT
    assert contacts.MESSAGE_WINDOW.total_seconds() == 48 * 3600
    assert f"subscription {contacts.EVENT_QUOTA} for a minute" in FLAT
    assert deliveries.TRIES_MAX == 8 and "refused eight times" in FLAT
    assert deliveries.RETRY_S_MAX == 600 and "10 min" in FLAT
    assert alerts.FIELD_CHARS_MAX == 20


def test_the_page_names_addresses_words_and_settings() -> None:
    assert CALLBACK_PATH in PAGE and "/wechat/page" in PAGE
    assert turns.NOT_HEARD.rstrip("。") in PAGE and turns.UNBIND.fullmatch("解除绑定") and "解除绑定" in PAGE
    assert "`wechat.bound`" in PAGE and bindings.HOW
    named = {name for name in Settings.model_fields if name.startswith("wechat_") or name == "public_url"}
    told = set(re.findall(r"`((?:wechat|public)_\w+)", PAGE))
    assert told <= named
    assert {"wechat_app_id", "wechat_token", "wechat_aes_key", "wechat_mode", "public_url"} <= told
