"""Voiceprints where the customer writes: agreed to and cancelled in the chat, recorded in a call from the page."""

from __future__ import annotations

from sqlalchemy import func, select

from banking_core.clock import ManualClock
from banking_core.voiceprints.models import VoiceEnrolment, Voiceprint
from bot.assembly import Product
from tests.banking_core.identity.logging_in import CODE
from tests.banking_core.voiceprints.voices import Voices
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.test_alongside import Page, a_page, calling
from tests.bot.channels.phone.test_voiceprint_calls import Listener, aloud

__all__ = ["product"]
PAYER = "张伟"


def a_minute_later(product: Product) -> None:
    """Codes are not sent one after another."""
    assert isinstance(product.clock, ManualClock)
    product.clock.advance(seconds=61)


async def count(product: Product, model: type) -> int:
    async with product.database.snapshot() as session:
        return int(await session.scalar(select(func.count()).select_from(model)) or 0)


async def agreed(page: Page) -> str:
    """开通声纹, explained, agreed to and proved."""
    explained = await page.write("开通声纹")
    assert "加密保存" in explained and "光凭声音动不了钱" in explained and "同意开通声纹吗" in explained
    assert "验证码已发" in await page.write("同意")
    return await page.write(CODE, secret=True)


async def test_in_the_chat_it_is_agreed_to_and_said_where_it_is_recorded(product: Product) -> None:
    product.bank.voiceprints.use(Voices())
    page = await a_page(product, PAYER)
    said = await agreed(page)
    assert "请打" in said and "跟我念三遍数字" in said
    assert await count(product, Voiceprint) == await count(product, VoiceEnrolment) == 0
    a_minute_later(product)
    assert "取消声纹" in await page.write("取消声纹"), (
        "a consent can be taken back before anything was recorded"
    )
    await page.write("确认")
    assert "取消声纹成功" in await page.write(CODE, secret=True)
    assert "还没有开通声纹" in await page.write("取消声纹")


async def test_in_a_call_from_the_page_it_is_recorded(product: Product) -> None:
    product.bank.voiceprints.use(Voices())
    page = await a_page(product, PAYER)
    async with calling(page, Listener()) as phone:
        await phone.say("开通声纹")
        await phone.say("同意")
        assert "第一遍，请跟我念" in await phone.key(CODE)
        await aloud(phone)
        await aloud(phone)
        assert "声纹录好了" in await aloud(phone)
    assert await count(product, Voiceprint) == 1


async def test_who_ends_the_call_in_the_middle_goes_on_writing_and_nothing_is_kept(product: Product) -> None:
    product.bank.voiceprints.use(Voices())
    page = await a_page(product, PAYER)
    async with calling(page, Listener()) as phone:
        await phone.say("开通声纹")
        await phone.say("同意")
        await phone.key(CODE)
        await aloud(phone)
        assert await count(product, VoiceEnrolment) == 1
    assert await count(product, VoiceEnrolment) == await count(product, Voiceprint) == 0
    assert "余额" in await page.write("查余额")
    assert (await product.hub.status(page.id)).expects == "text"
