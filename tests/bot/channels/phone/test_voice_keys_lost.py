"""A call after the keys of the voices were lost: one sentence, keys and codes, and a voice recorded anew."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from banking_core.storage import Database
from banking_core.vault import FixedKeys, Vault
from banking_core.voiceprints.models import Voiceprint
from tests import keys
from tests.banking_core.identity.logging_in import CODE
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.test_alongside import a_page
from tests.bot.channels.phone.test_telephone_bank import PAYER
from tests.bot.channels.phone.test_voice_changes import logged_in_by_code, pay
from tests.bot.channels.phone.test_voiceprint_calls import Life, aloud, life, transfers

__all__ = ["life", "product"]


TOLD = {"fresh keys": "您的声纹需要重录", "no keys": "声纹现在用不了，请按键输入验证码办理"}


@pytest.fixture(params=TOLD)
async def lost(life: Life, request: pytest.FixtureRequest) -> Life:
    """A customer was known by their voice; then the bank was started with other keys of the voices, or none."""
    await life.enrol()
    database = life.product.database
    assert database.vault is not None
    data = FixedKeys(database.vault.ring)
    fresh = Vault(data, voice=FixedKeys(keys.ring("voice")))
    vault = fresh if request.param == "fresh keys" else Vault(data)
    _give(database, vault)
    if request.param == "no keys":
        life.product.bank.voiceprints.use(None)
    return life


def _give(database: Database, vault: Vault) -> None:
    """Other keys, as a start with another key file gives them."""
    database.vault = vault
    database._sessions.configure(info={"vault": vault})


async def test_a_caller_is_told_proves_themselves_by_keys_and_is_served(
    lost: Life, request: pytest.FixtureRequest
) -> None:
    told = TOLD[request.node.callspec.params["lost"]]
    async with lost.call() as phone:
        assert told in await logged_in_by_code(lost, phone)
        assert "转账成功" in await pay(lost, phone, "给李四转五百块")
        assert "先由人工" in await pay(lost, phone, "给李四转两千块")
        await phone.say("不用了")
        assert "余额" in await phone.say("查余额")
    assert [order.amount_fen for order in await transfers(lost) if order.status == "executed"] == [500_00]


async def test_the_chat_goes_on(lost: Life) -> None:
    page = await a_page(lost.product, PAYER)
    assert "余额" in await page.write("查余额")
    await page.write("给李四转两千块")
    await page.write("确认")
    assert "成功" in await page.write(CODE, secret=True)


@pytest.mark.parametrize("lost", ["fresh keys"], indirect=True)
async def test_a_voice_is_recorded_anew_and_known_again(lost: Life) -> None:
    page = await a_page(lost.product, PAYER)
    assert "您已经有声纹了" in await page.write("开通声纹")
    await page.write("同意")
    assert "要在电话里录" in await page.write(CODE, secret=True)
    async with lost.call() as phone:
        await logged_in_by_code(lost, phone)
        assert "第一遍" in await lost.agree(phone)
        for _ in range(3):
            await aloud(phone)
        assert "声纹录好了" in await phone.log()
    async with lost.call() as phone:
        await phone.say("查余额")
        assert "登录成功" in await aloud(phone)
    async with lost.product.database.snapshot() as session:
        (found,) = await session.scalars(select(Voiceprint))
        assert found.template


@pytest.mark.parametrize("lost", ["fresh keys"], indirect=True)
async def test_it_is_cancelled_without_being_opened(lost: Life) -> None:
    page = await a_page(lost.product, PAYER)
    assert "取消声纹" in await page.write("取消声纹")
    await page.write("确认")
    await page.write(CODE, secret=True)
    assert await lost.count(Voiceprint) == 0
