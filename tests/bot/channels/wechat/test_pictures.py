"""Pictures: drawn from a card, uploaded once, sent after the words, left out when Tencent will not have them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.channels.wechat.charts import BAR, BAR_FROM, BAR_TO, EDGE, ROW, drawn, is_drawn
from bot.dialogue.reply import Card, Fact, Reply
from tests.bot.channels.wechat.site import Site, running

SEND, UPLOAD = "/cgi-bin/message/custom/send", "/cgi-bin/media/upload"
ROWS = (("餐饮", "¥600.00", "60.0%"), ("交通", "¥400.00", "40.0%"))
SPENT = Reply(
    "共支出¥1,000.00。",
    Card("spending", "消费分析", (Fact("支出合计", "¥1,000.00"),), ("类别", "金额", "占比"), ROWS),
)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as site:
        await site.follower().say("你好")
        yield site


async def spent(site: Site, key: str = "k") -> list[tuple[str, str]]:
    """The assistant says what was spent; gives what the follower is shown of it."""
    follower = site.follower()
    seen = len(follower.screen)
    await site.product.hub.announce((await site.contact()).conversation_id, SPENT, key)
    await site.settled()
    await site.channel.deliveries.sweep()
    return [(shown.kind, shown.text) for shown in follower.screen[seen:]]


def bar_widths(png: bytes, rows: int) -> list[int]:
    image = Image.open(BytesIO(png)).convert("RGB")
    color = tuple(bytes.fromhex(BAR[1:]))
    heights = [EDGE + ROW * row + 12 for row in range(rows)]
    return [sum(image.getpixel((x, y)) == color for x in range(image.width)) for y in heights]


def test_bars_are_as_long_as_the_shares() -> None:
    card: dict[str, Any] = SPENT.to_json()["card"]
    assert is_drawn(card) and not is_drawn(None) and not is_drawn(card | {"rows": []})
    png = drawn(card)
    assert png.startswith(b"\x89PNG") and len(png) < 100_000 and drawn(card) == png
    whole = BAR_TO - BAR_FROM
    assert bar_widths(png, 2) == pytest.approx([0.6 * whole, 0.4 * whole], abs=2)


async def test_the_picture_comes_after_the_words_as_a_customer_service_message(site: Site) -> None:
    shown = await spent(site)
    assert [kind for kind, _ in shown] == ["text", "image"]
    assert "1. 餐饮  ¥600.00  60.0%" in shown[0][1]
    assert site.tencent.media[shown[1][1]].startswith(b"\x89PNG")
    assert (await site.contact()).quota_left == 3
    assert await site.channel.deliveries.sweep() == 0
    async with site.http.get(f"{site.product.settings.wechat_api_url}/screen/{shown[1][1]}") as answer:
        assert answer.content_type == "image/png"


async def test_a_picture_is_uploaded_once_and_again_when_tencent_has_forgotten_it(site: Site) -> None:
    first = (await spent(site, "a"))[1][1]
    assert (await spent(site, "b"))[1][1] == first and site.tencent.calls[UPLOAD] == 1
    site.clock.advance(seconds=3 * 24 * 3600 - 1800)
    assert await site.channel.deliveries.forget_media() == 1
    await site.follower().say("在吗")
    again = (await spent(site, "c"))[1][1]
    assert again != first and site.tencent.calls[UPLOAD] == 2
    del site.tencent.media[again]  # though it should still be there
    assert (await spent(site, "d"))[1][0] == "image" and site.tencent.calls[UPLOAD] == 3


@pytest.mark.parametrize("errcode", [0, -1, 40005, 45009])
async def test_a_picture_that_cannot_be_sent_is_left_out_and_nothing_waits_for_it(
    site: Site, errcode: int
) -> None:
    site.tencent.fail_next(UPLOAD, errcode)
    assert [kind for kind, _ in await spent(site)] == ["text"]
    await site.product.hub.announce((await site.contact()).conversation_id, Reply("缴费成功。"), "next")
    await site.settled()
    await site.channel.deliveries.sweep()
    assert site.follower().texts()[-1] == "缴费成功。"


async def test_a_picture_that_the_quota_does_not_allow_comes_when_the_customer_writes(site: Site) -> None:
    site.tencent.fail_next(SEND, 45047)
    await spent(site)
    await site.follower().say("继续")
    await site.settled()
    kinds = [shown.kind for shown in site.follower().screen]
    assert kinds[-3:] == ["text", "image", "text"]  # what was left, then the answer


async def test_the_words_are_answered_at_once_and_the_picture_follows(site: Site) -> None:
    site.tencent.fail_next(SEND, -1)
    await spent(site)  # the words wait for another try
    follower = site.follower()
    seen = len(follower.screen)
    await follower.say("在吗")
    await site.settled()
    kinds = [(shown.how, shown.kind) for shown in follower.screen[seen:]]
    assert kinds[:2] == [("answer", "text"), ("service", "image")]
