"""The whole life of a voiceprint, line by line of what is promised of it: by telephone, by chat, and in the trail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from banking_core.audit import AuditQuery, search
from banking_core.voiceprints.models import VoiceAttempt, VoiceConsent, Voiceprint, VoicePrompt
from tests.banking_core.identity.logging_in import CODE
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.telephone import Telephone
from tests.bot.channels.phone.test_alongside import a_page
from tests.bot.channels.phone.test_telephone_bank import PAYER, log_in, on_duty
from tests.bot.channels.phone.test_voice_changes import logged_in_by_code, pay, template
from tests.bot.channels.phone.test_voiceprint_calls import Life, aloud, life, transfers

__all__ = ["life", "product"]


async def noted(life: Life) -> list[tuple[str, str]]:
    """Acts on voiceprints in the audit trail, oldest first: what, and through which channel."""
    async with life.product.database.snapshot() as session:
        found = (await search(session, AuditQuery(action="security.voice"), limit=200)).records
    return [(one.action.removeprefix("security.voice_"), one.channel) for one in reversed(found)]


async def record_anew(life: Life, phone: Telephone) -> str:
    """With the old voice beside the code."""
    life.a_minute_later()
    await phone.say("开通声纹")
    await phone.key("1#")
    await phone.key(CODE)
    for _ in range(3):
        await aloud(phone)
    return await aloud(phone)


async def test_every_act_of_a_life_by_telephone_is_in_the_trail(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("查余额")
        await aloud(phone)
        assert "声纹录好了" in await record_anew(life, phone)
        life.a_minute_later()
        await phone.say("取消声纹")
        await phone.key("1#")
        await phone.key(CODE)
        assert "取消声纹成功" in await aloud(phone)
    acts = [act for act, _ in await noted(life)]
    recorded = ["explained", "agreed", *["tried"] * 3, "enrolled"]
    anew = ["tried", "explained", "tried", *["tried"] * 3, "changed"]
    assert acts == [*recorded, *anew, "tried", "cancelled"]
    assert {channel for _, channel in await noted(life)} == {"phone"}


async def test_cancelled_in_the_chat_it_is_destroyed_and_the_next_call_asks_for_a_code(life: Life) -> None:
    await life.enrol()
    page = await a_page(life.product, PAYER)
    said = await page.write("取消声纹")
    assert "取消声纹" in said
    await page.write("确认")
    assert "取消声纹成功" in await page.write(CODE, secret=True)
    assert await life.count(Voiceprint) == 0
    async with life.product.database.snapshot() as session:
        attempts = list(await session.scalars(select(VoiceAttempt)))
        consents = list(await session.scalars(select(VoiceConsent)))
    assert [(one.fingerprint_sealed, one.audio_sealed) for one in attempts] == [(None, None)] * 3
    assert [one.revoked_at is not None for one in consents] == [True]
    assert (await noted(life))[-1] == ("cancelled", "web")
    life.a_minute_later()
    async with life.call() as phone:
        assert "验证码已发" in await phone.say("查余额")


@pytest.mark.parametrize("words", ["不同意", "不要", "取消"])
async def test_who_does_not_agree_is_left_alone_and_nothing_is_kept(life: Life, words: str) -> None:
    async with life.call() as phone:
        await phone.say("查余额")
        await log_in(phone)
        assert "同意开通声纹吗" in await phone.say("开通声纹")
        assert (await phone.say(words)).endswith("好的，开通声纹已取消。")
        assert "同意开通声纹吗" in await phone.say("开通声纹"), "asked for anew, not gone on with"
        await phone.say(words)
    assert await life.count(VoiceConsent) == 0
    assert [act for act, _ in await noted(life)] == ["explained"] * 2


async def test_where_nothing_can_be_changed_no_change_is_offered(life: Life) -> None:
    await life.enrol()
    page = await a_page(life.product, PAYER)
    await page.write("取消声纹")
    offered = (await life.product.hub.history(page.id, 0, 50))[-1]["choices"]
    assert [choice["say"] for choice in offered] == ["确认", "取消"]
    assert "金额" not in await page.write("修改")
    assert await page.write("不对") == "好的，取消声纹已取消。"
    assert await life.count(Voiceprint) == 1


async def test_the_three_prompts_of_a_recording_have_different_digits_that_stand_nowhere(life: Life) -> None:
    await life.enrol()
    digits = [password.digits for password in life.listener.passwords]
    assert len(digits) == len(set(digits)) == 3 and all(len(one) == 8 for one in digits)
    async with life.product.database.snapshot() as session:
        prompts = list(await session.scalars(select(VoicePrompt).order_by(VoicePrompt.made_at)))
    assert [(one.expires_at - one.made_at).total_seconds() for one in prompts] == [60.0] * 3
    assert [one.status for one in prompts] == ["used"] * 3


async def test_a_recording_said_too_late_is_asked_for_again_with_other_digits(life: Life) -> None:
    async with life.call() as phone:
        await phone.say("查余额")
        await log_in(phone)
        await life.agree(phone)
        life.a_minute_later()
        answer = await aloud(phone)
        assert "过期" in answer and "这一遍重来，请跟我念" in answer
        for _ in range(3):
            await aloud(phone)
        assert "声纹录好了" in await phone.log()
    assert len({password.digits for password in life.listener.passwords}) == 4


async def test_three_wrong_tries_at_the_log_in_lead_to_a_code_by_keys(life: Life) -> None:
    await life.enrol()
    life.listener.more = {"content": 0.0}
    async with life.call() as phone:
        await phone.say("查余额")
        for _ in range(2):
            answer = await aloud(phone)
            assert "数字没有对上" in answer and "请再跟我念" in answer
        assert "验证码已发" in await aloud(phone)
        assert "余额" in await log_in(phone)
    digits = [password.digits for password in life.listener.passwords[3:]]
    assert len(set(digits)) == 3, "others each time"


async def test_three_wrong_tries_at_a_larger_transfer_lead_to_a_human_with_the_order_untouched(
    life: Life,
) -> None:
    await life.enrol()
    async with life.call() as phone:
        await logged_in_by_code(life, phone)
        assert "请用声音核实" in await pay(life, phone, "给李四转两千块")
        await on_duty(life.product)
        life.listener.more = {"content": 0.0}
        for _ in range(2):
            assert "数字没有对上" in await aloud(phone)
        assert "转接人工" in await aloud(phone)
    assert [order.status for order in await transfers(life)] == ["confirmed"]


async def test_a_voice_that_drifts_is_told_recorded_anew_and_told_no_more(life: Life) -> None:
    await life.enrol()
    voiceprints = life.product.bank.voiceprints
    voiceprints._verification._rules = replace(voiceprints._rules, drift=5.0)
    life.listener.more = {"llr": 4.5}
    told = []
    for _ in range(12):
        async with life.call() as phone:
            await phone.say("查余额")
            told.append("您的声纹需要重录" in await aloud(phone))
    assert told[0] is False and told[-1] is True, "one cold is no drift"
    kept = await template(life)
    life.listener.more = {}
    async with life.call() as phone:
        await phone.say("查余额")
        await aloud(phone)
        assert "声纹录好了" in await record_anew(life, phone)
    assert await template(life) != kept
    async with life.call() as phone:
        await phone.say("查余额")
        assert "您的声纹需要重录" not in await aloud(phone)
    acts = [act for act, _ in await noted(life)]
    assert acts.count("drifted") == 1 and acts.count("changed") == 1


async def test_an_explanation_that_has_changed_is_agreed_to_before_the_voice_is_used_again(
    life: Life,
) -> None:
    await life.enrol()
    voiceprints = life.product.bank.voiceprints
    voiceprints._rules = replace(voiceprints._rules, consent_version=2)
    async with life.call() as phone:
        answer = await phone.say("查余额")
        assert "验证码已发" in answer, "no voice is asked for"
        assert "您的声纹需要重录" in await log_in(phone)
    page = await a_page(life.product, PAYER)
    life.a_minute_later()
    assert "加密保存" in await page.write("开通声纹")
    await page.write("同意")
    await page.write(CODE, secret=True)
    async with life.call() as phone:
        assert "请跟我念" in await phone.say("查余额")
        assert "登录成功" in await aloud(phone)


def keep_audio(life: Life, days: int) -> None:
    """As a start with another `ZHANGGUI_VOICE_AUDIO_DAYS`."""
    voiceprints = life.product.bank.voiceprints
    voiceprints._audio_days = voiceprints._verification._audio_days = days


async def kept(life: Life) -> list[bool]:
    """Of each recording, whether it is kept."""
    async with life.product.database.snapshot() as session:
        return [one.audio is not None for one in await session.scalars(select(VoiceAttempt).order_by("at"))]


@pytest.mark.parametrize(("days", "words"), [(0, "不存录音"), (30, "念数字的录音加密保存三十天")])
async def test_what_a_caller_said_is_kept_only_where_the_bank_has_turned_that_on_and_said_so(
    life: Life, days: int, words: str
) -> None:
    keep_audio(life, days)
    life.listener.more = {"audio": b"the sound of eight digits"}
    async with life.call() as phone:
        await phone.say("查余额")
        await log_in(phone)
        life.a_minute_later()
        assert words in await phone.say("开通声纹")
        await phone.say("取消")
    await life.enrol()
    assert await kept(life) == [days > 0] * 3


async def test_who_agreed_while_nothing_was_kept_is_not_recorded_when_the_bank_turns_it_on(
    life: Life,
) -> None:
    life.listener.more = {"audio": b"the sound of eight digits"}
    await life.enrol()
    keep_audio(life, 30)
    async with life.call() as phone:
        await phone.say("查余额")
        assert "登录成功" in await aloud(phone)
        assert await kept(life) == [False] * 4
        await record_anew(life, phone)
    assert await kept(life) == [False] * 5 + [True] * 3


async def test_a_day_s_small_transfers_by_voice_have_a_sum_beyond_which_a_code_is_wanted_too(
    life: Life,
) -> None:
    await life.enrol()
    async with life.call() as phone:
        await logged_in_by_code(life, phone)
        for _ in range(3):
            await phone.say("给李四转九百块")
            assert "请用声音核实" in await phone.say("确认")
            assert "转账成功" in await aloud(phone)
        life.a_minute_later()
        await phone.say("给李四转九百块")
        assert "验证码已发" in await phone.say("确认")
        assert "请用声音核实" in await phone.key(CODE)
        assert "转账成功" in await aloud(phone)
    proofs = [order.proofs or [] for order in await transfers(life)]
    assert ["otp" in given for given in proofs] == [False, False, False, True]


async def test_after_six_wrong_tries_the_voice_pauses_codes_go_on_and_money_goes_to_a_human(
    life: Life,
) -> None:
    await life.enrol()
    life.listener.more = {"content": 0.0}
    for _ in range(2):
        life.a_minute_later()
        async with life.call() as phone:
            await phone.say("查余额")
            for _ in range(3):
                await aloud(phone)
    life.listener.more = {}
    life.a_minute_later()
    async with life.call() as phone:
        assert "验证码已发" in await phone.say("查余额"), "no digits are asked for"
        assert "余额" in await log_in(phone)
        life.a_minute_later()
        await phone.say("给李四转五百块")
        assert "人工" in await phone.say("确认")
    assert [order.status for order in await transfers(life)] == ["confirmed"]
