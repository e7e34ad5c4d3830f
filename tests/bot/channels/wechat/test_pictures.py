"""Pictures. Ours: drawn from a card, uploaded once, sent after the words, left out when Tencent will not have them.
The customer's: kept for the agent who has them, and for nobody else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image
from sqlalchemy import select, text

from banking_core.audit import AuditRecord
from bot.channels.wechat.charts import BAR, BAR_FROM, BAR_TO, EDGE, ROW, drawn, is_drawn
from bot.channels.wechat.simulator.follower import PICTURE as DOT
from bot.channels.wechat.turns import PICTURE_KEPT, PICTURE_LOST
from bot.conversation.models import CustomerPicture
from bot.conversation.pictures import BYTES_MAX, PICTURE, Pictures
from bot.conversation.scans import PICTURE_OF_CODE, UNREADABLE
from bot.dialogue.reading.pay_codes import pay_link
from bot.dialogue.reply import Card, Fact, Reply
from bot.surfaces.codes import code_png
from desk.service import DEMO_PASSWORD
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


async def test_a_card_that_cannot_be_drawn_stops_nothing(site: Site) -> None:
    odd = Reply("共支出¥1.00。", Card("spending", "消费分析", (), ("类别",), (("餐饮",),)))
    follower, seen = site.follower(), len(site.follower().screen)
    await site.product.hub.announce((await site.contact()).conversation_id, odd, "odd")
    await site.settled()
    await site.channel.deliveries.sweep()
    assert [shown.kind for shown in follower.screen[seen:]] == ["text"]
    assert [kind for kind, _ in await spent(site)] == ["text", "image"]


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


async def seated(site: Site, username: str) -> aiohttp.ClientSession:
    """An agent's browser, logged in at the desk of the same server."""
    browser = aiohttp.ClientSession(
        cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": site.url}, base_url=site.url
    )
    body = {"username": username, "password": DEMO_PASSWORD}
    async with browser.post("/desk/api/login", json=body) as answer:
        assert answer.status == 200
    return browser


async def looked(site: Site) -> list[bool]:
    """Every look at a picture that was noted: whether it was allowed."""
    async with site.product.database.snapshot() as session:
        rows = await session.scalars(
            select(AuditRecord).where(AuditRecord.action == "conversation.picture_seen")
        )
        return [row.allowed for row in rows]


async def test_a_picture_is_kept_for_the_agent_who_comes_later_and_shown_to_nobody_else(site: Site) -> None:
    async with site.product.database.transaction() as session:
        await site.product.desk.seed_demo_agents(session)
    follower = site.follower()
    await follower.show_picture()
    assert follower.texts()[-1].startswith(PICTURE_KEPT) and "转人工" in follower.texts()[-1]
    assert "[图片]" not in site.ears.heard
    wang, li = await seated(site, "xiaowang"), await seated(site, "xiaoli")
    await follower.say("转人工")
    conversation_id = (await site.contact()).conversation_id
    shown = next(m for m in await site.history() if m["text"] == PICTURE)
    path = f"/desk/api/conversations/{conversation_id}/pictures/{shown['client_id']}"
    async with wang.post(f"/desk/api/conversations/{conversation_id}/claim", json={}) as answer:
        assert answer.status == 200, await answer.text()
    async with wang.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert await answer.read() == DOT and answer.headers["X-Content-Type-Options"] == "nosniff"
    async with li.get(path) as answer:
        assert answer.status == 403
    async with wang.get(path.replace(shown["client_id"], "0" * 64)) as answer:
        assert answer.status == 404
    assert await looked(site) == [True, False, True]
    seen = len(follower.screen)
    await follower.show_picture(DOT)
    await site.settled()
    assert len(follower.screen) == seen  # the human answers
    async with site.product.database.snapshot() as session:
        stored = await session.scalar(text("SELECT content_sealed FROM customer_picture LIMIT 1"))
    assert "iVBOR" not in stored
    for browser in (wang, li):
        await browser.close()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<svg onload=alert(1)>", UNREADABLE),
        (b"GIF89a", UNREADABLE),
        (b"", UNREADABLE),
        (DOT[:40], UNREADABLE),
        (DOT + bytes(4 * 1024 * 1024), PICTURE_LOST),
    ],
)
async def test_what_is_no_picture_or_too_big_is_not_kept_and_the_customer_is_told(
    site: Site, content: bytes, told: str
) -> None:
    follower = site.follower()
    await follower.show_picture(content)
    assert follower.texts()[-1].startswith(told)
    assert PICTURE not in [m["text"] for m in await site.history()]


async def test_a_photograph_of_nearly_four_megabytes_is_kept_as_it_came(site: Site) -> None:
    file = BytesIO()
    Image.effect_noise((2000, 2000), 60).save(file, "PNG")
    photograph = file.getvalue()
    assert 3_000_000 < len(photograph) <= BYTES_MAX
    follower = site.follower()
    await follower.show_picture(photograph)
    await site.settled()
    assert follower.texts()[-1].startswith(PICTURE_KEPT)
    shown = next(m for m in await site.history() if m["text"] == PICTURE)
    conversation_id = (await site.contact()).conversation_id
    pictures = Pictures(site.product.database, site.clock)
    async with site.product.database.snapshot() as session:
        found = await pictures.picture(session, conversation_id, shown["client_id"])
    assert found == (photograph, "image/png")


async def test_ten_pictures_a_day_are_kept_for_thirty_days(site: Site) -> None:
    pictures = Pictures(site.product.database, site.clock)
    conversation_id = (await site.contact()).conversation_id
    kept = [await pictures.keep(conversation_id, f"key-{number}", DOT) for number in range(11)]
    assert kept == [True] * 10 + [False]
    assert await pictures.keep(conversation_id, "key-3", DOT)  # a second delivery
    async with site.product.database.snapshot() as session:
        assert await pictures.picture(session, "another", "key-3") is None
    site.clock.advance(seconds=24 * 3600 + 1)
    assert await pictures.keep(conversation_id, "key-11", DOT)
    site.clock.advance(seconds=29 * 24 * 3600)
    assert await pictures.forget() == 10
    async with site.product.database.snapshot() as session:
        assert await pictures.picture(session, conversation_id, "key-11") == (DOT, "image/png")


async def kept(site: Site) -> int:
    """How many pictures of customers there are."""
    async with site.product.database.snapshot() as session:
        return len(list(await session.scalars(select(CustomerPicture.id))))


async def test_a_picture_of_another_bank_s_code_is_answered_and_not_kept(site: Site) -> None:
    follower = site.follower()
    await follower.show_picture(code_png("https://qr.alipay.com/fkx123456789"))
    assert follower.texts()[-1].startswith("这是支付宝的码") and "转账" in follower.texts()[-1]
    assert [m["text"] for m in await site.history() if m["sender"] == "customer"][-1] == PICTURE_OF_CODE
    assert await kept(site) == 0


async def test_words_in_a_code_are_never_the_customer_s(site: Site) -> None:
    follower = site.follower()
    await follower.show_picture(code_png("转人工"))
    assert follower.texts()[-1].startswith("这不是我行的收款码")
    assert "转人工" not in site.ears.heard
    assert (await site.product.hub.status((await site.contact()).conversation_id)).owner == "bot"


async def test_a_stranger_s_code_waits_for_the_log_in_and_nothing_of_the_picture_is_kept(site: Site) -> None:
    follower = site.follower()
    await follower.show_picture(code_png(pay_link("https://bank.example", "b" * 26)))
    assert "先登录" in follower.texts()[-1] or "登录" in follower.texts()[-1]
    said = [m["text"] for m in await site.history() if m["sender"] == "customer"]
    assert said[-1] == "[收款码]" and await kept(site) == 0
