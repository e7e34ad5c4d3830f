"""Whole calls with voiceprints: recorded, known again, an impostor, a replay, silence, hanging up in the middle."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import func, select

from banking_core.clock import ManualClock
from banking_core.orders.models import Order
from banking_core.voiceprints import SpokenPassword, VoiceSample
from banking_core.voiceprints.models import VoiceAttempt, VoiceEnrolment, Voiceprint
from bot.assembly import Product
from bot.channels.phone.audio import FRAME_BYTES
from bot.channels.phone.loop import Expect
from bot.conversation.redaction import BLOT
from bot.dialogue.reading.speech import digits_to_spoken
from tests.banking_core.identity.logging_in import CODE
from tests.banking_core.voiceprints.voices import Voices, said
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.telephone import Telephone, calling
from tests.bot.channels.phone.test_telephone_bank import log_in, on_duty, orders

__all__ = ["product"]


class Listener:
    """Hears in a recording whatever the test says; a `VoiceExaminer`."""

    def __init__(self) -> None:
        self.name, self.more = "张伟", dict[str, Any]()
        self.passwords: list[SpokenPassword] = []
        self.frames: list[int] = []

    async def examine(self, pcm: bytes, password: SpokenPassword) -> VoiceSample:
        self.passwords.append(password)
        self.frames.append(len(pcm) // FRAME_BYTES)
        return said(password.prompt_id, self.name, former=password.former, **self.more)


class Life:
    """A bank with voiceprints, and those who call it."""

    def __init__(self, product: Product) -> None:
        self.product, self.listener = product, Listener()
        product.bank.voiceprints.use(Voices())

    def call(self, caller: str = "13800000004") -> AbstractAsyncContextManager[Telephone]:
        return calling(self.product, caller, examiner=self.listener)

    def a_minute_later(self) -> None:
        """Codes are not sent one after another."""
        assert isinstance(self.product.clock, ManualClock)
        self.product.clock.advance(seconds=61)

    async def count(self, model: type[Any]) -> int:
        async with self.product.database.snapshot() as session:
            return int(await session.scalar(select(func.count()).select_from(model)) or 0)

    async def agree(self, phone: Telephone) -> str:
        """Up to the first digits."""
        self.a_minute_later()
        await phone.say("开通声纹")
        await phone.key("1#")
        return await phone.key(CODE)

    def a_day_later(self) -> None:
        """A new voiceprint counts for orders."""
        assert isinstance(self.product.clock, ManualClock)
        self.product.clock.advance(seconds=24 * 3600)

    async def enrol(self, *, cooled: bool = True) -> None:
        async with self.call() as phone:
            await phone.say("查余额")
            await log_in(phone)
            assert "第一遍" in await self.agree(phone)
            for _ in range(2):
                assert "遍，请跟我念" in await aloud(phone)
            assert "声纹录好了" in await aloud(phone)
        if cooled:
            self.a_day_later()


async def aloud(phone: Telephone, words: str = "三八二九五零六七") -> str:
    return await phone.say(words, frames=100)


async def transfers(life: Life) -> list[Order]:
    return [order for order in await orders(life.product) if order.kind == "transfer"]


@pytest.fixture
def life(product: Product) -> Life:
    return Life(product)


async def test_recorded_in_one_call_and_known_by_voice_in_the_next(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        said_ = await phone.say("查余额")
        digits = life.listener.passwords[-1].digits
        assert "请跟我念" in said_ and phone.ears.expected is Expect.SPOKEN
        answer = await aloud(phone)
        assert "登录成功" in answer and "余额" in answer
        assert digits_to_spoken(digits[:4]) not in said_, "new digits for each time"
        log = await phone.log()
    assert BLOT in log and not any(password.digits in log for password in life.listener.passwords)
    assert not any(digits_to_spoken(p.digits[:4]) in log for p in life.listener.passwords)
    assert all(frames >= 100 for frames in life.listener.frames), "the sound of the whole sentence"


async def test_what_is_to_be_said_is_read_out_and_again_on_request(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        first = await phone.say("查余额")
        again = await phone.say("再说一遍")
        password = await life.product.hub.spoken_password(phone.conversation)
        assert password is not None
        spoken = f"{digits_to_spoken(password.digits[:4])}，{digits_to_spoken(password.digits[4:])}。"
        assert first.endswith(spoken) and again.endswith(spoken)


async def test_a_small_transfer_needs_the_voice_and_no_code(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        await phone.say("用验证码")
        assert "五百元" in await log_in(phone)
        assert "请用声音核实" in await phone.say("确认") and phone.ears.expected is Expect.SPOKEN
        assert "转账成功" in await aloud(phone)
    made = await transfers(life)
    assert [(order.status, order.proofs) for order in made] == [("executed", ["possession", "voice"])]


async def test_a_voice_alone_moves_no_money(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        assert "五百元" in await aloud(phone)
        assert "验证码已发" in await phone.say("确认"), "the log-in was a voice: now a code"
        assert "转账成功" in await phone.key(CODE)


async def test_a_larger_transfer_needs_code_and_voice(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("给李四转两千块")
        await phone.say("用验证码")
        await log_in(phone)
        life.a_minute_later()
        assert "验证码已发" in await phone.say("确认")
        assert "请用声音核实" in await phone.key(CODE)
        assert "转账成功" in await aloud(phone)


async def test_an_impostor_ends_at_a_human_with_the_order_untouched(life: Life) -> None:
    await life.enrol()
    await on_duty(life.product)
    life.listener.name = "王五"
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        await phone.say("用验证码")
        await log_in(phone)
        await phone.say("确认")
        assert "没有核实成功" in await aloud(phone)
        answer = await aloud(phone)
        assert "转接人工" in answer
        assert [item.reason for item in await life.product.handoff.queue()] == ["risk"]
    assert [(order.status, order.proofs) for order in await transfers(life)] == [("confirmed", None)]


async def test_an_impostor_does_not_log_in_by_voice(life: Life) -> None:
    await life.enrol()
    life.listener.name = "王五"
    async with life.call() as phone:
        await phone.say("查余额")
        await aloud(phone)
        assert "验证码已发" in await aloud(phone)
        assert (await life.product.hub.status(phone.conversation)).customer_id is None


async def test_an_old_recording_is_caught(life: Life) -> None:
    await life.enrol()
    await on_duty(life.product)
    life.listener.more = {"take": "heard by somebody"}
    async with life.call() as phone:
        await phone.say("查余额")
        assert "登录成功" in await aloud(phone)
    life.listener.more = {}
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        await phone.say("用验证码")
        await log_in(phone)
        await phone.say("确认")
        life.listener.more = {"take": "heard by somebody"}
        assert "转接人工" in await aloud(phone)
    assert [order.status for order in await transfers(life)] == ["confirmed"]


async def test_three_unclear_tries_lead_to_a_code_and_that_to_a_human(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("给李四转五百块")
        await phone.say("用验证码")
        await log_in(phone)
        await phone.say("确认")
        life.listener.more = {"fault": "noisy"}
        assert "太吵了" in await aloud(phone)
        assert "太吵了" in await aloud(phone)
        life.a_minute_later()
        answer = await aloud(phone)
        assert "过期" in answer and "验证码已发" in answer, "too late, and it was the third try"
        for _ in range(2):
            assert "不对" in await phone.key("000000")
        await on_duty(life.product)
        assert "转接人工" in await phone.key("000000")
    assert [order.status for order in await transfers(life)] == ["confirmed"]


async def test_who_cannot_speak_gets_a_code_by_voice_or_key(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("查余额")
        assert "验证码已发" in await phone.say("我嗓子哑了")
    life.a_minute_later()
    async with life.call() as phone:
        await phone.say("查余额")
        assert "验证码已发" in await phone.key("1")


@pytest.mark.parametrize("keys", ["3121", "31213", "312138", "12345678"])
async def test_what_is_keyed_instead_of_said_stands_nowhere_and_the_digits_are_read_out_again(
    life: Life, keys: str
) -> None:
    await life.enrol()
    async with life.call() as phone:
        spoken = (await phone.say("查余额"))[-10:]
        await phone.key(f"{keys}#")
        await phone.rest(2.0)
        assert any(spoken in piece for piece in phone.voice.said[-4:])
        assert "3121" not in (log := await phone.log()) and keys not in log and BLOT in log
        assert "登录成功" in await aloud(phone)


async def test_silence_is_told_how_to_go_on(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("查余额")
        await phone.rest(9.0)
        assert "用验证码请按一，转人工请按二。" in phone.voice.said
        assert await life.count(VoiceAttempt) == 3, "nothing was said, nothing was tried"


async def test_a_sound_without_recognised_digits_is_judged_too(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("查余额")
        life.listener.more = {"fault": "too_short"}
        assert "太短了" in await phone.say("", frames=80)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"fault": "too_short"}, "太短了"),
        ({"fault": "noisy"}, "太吵了"),
        ({"fault": "two_voices"}, "好像不止一个人在说"),
        ({"content": 0.0}, "数字没有对上"),
        ({"name": "王五"}, "和前面的声音不太一样"),
    ],
)
async def test_a_bad_recording_is_said_what_was_wrong_with_it(
    life: Life, more: dict[str, Any], words: str
) -> None:
    async with life.call() as phone:
        await phone.say("查余额")
        await log_in(phone)
        await life.agree(phone)
        assert "第两遍" not in (answer := await aloud(phone)) and "第二遍" in answer
        life.listener.name = more.pop("name", "张伟")
        life.listener.more = more
        answer = await aloud(phone)
        assert words in answer and "这一遍重来，请跟我念" in answer


@pytest.mark.parametrize("said_times", range(3))
async def test_who_hangs_up_or_thinks_better_of_it_leaves_nothing_half_made(
    life: Life, said_times: int
) -> None:
    for cancels in (False, True):
        async with life.call() as phone:
            await phone.say("查余额")
            await log_in(phone)
            await life.agree(phone)
            for _ in range(said_times):
                await aloud(phone)
            if cancels:
                assert "取消" in await phone.say("取消")
        assert await life.count(VoiceEnrolment) == await life.count(Voiceprint) == 0


async def begun(life: Life, phone: Telephone) -> None:
    """Logged in, agreed, and the first of three said."""
    life.a_minute_later()
    await phone.say("查余额")
    await log_in(phone)
    assert "第一遍，请跟我念" in await life.agree(phone)
    assert "第二遍，请跟我念" in await aloud(phone)


async def test_a_call_that_ends_takes_no_recording_of_another_call_with_it(life: Life) -> None:
    async with life.call() as phone:
        async with life.call() as before:
            await begun(life, before)
            await begun(life, phone)
        assert await life.count(VoiceEnrolment) == 1
        assert "第三遍，请跟我念" in await aloud(phone)
        assert "声纹录好了" in await aloud(phone)
    assert await life.count(Voiceprint) == 1


async def test_of_two_recordings_at_once_the_later_one_counts_and_the_other_is_told_so(life: Life) -> None:
    async with life.call() as before, life.call() as phone:
        await begun(life, before)
        await begun(life, phone)
        answer = await aloud(before)
        assert "这组数字已经失效。这次没有录成，什么都没有留下。" in answer and "跟我念" not in answer
        for _ in range(2):
            answer = await aloud(phone)
        assert "声纹录好了" in answer
    assert await life.count(Voiceprint) == 1


async def test_a_recording_that_takes_too_long_is_said_once_what_became_of_it(life: Life) -> None:
    async with life.call() as phone:
        await begun(life, phone)
        assert isinstance(life.product.clock, ManualClock)
        life.product.clock.advance(seconds=3600)
        answer = await aloud(phone)
        assert answer.count("什么都没有留下") == 1 and answer.count("开通声纹") == 1
    assert await life.count(VoiceEnrolment) == await life.count(Voiceprint) == 0


async def test_recorded_anew_and_cancelled_by_telephone(life: Life) -> None:
    await life.enrol()
    async with life.call() as phone:
        await phone.say("查余额")
        await aloud(phone)
        said_ = await phone.say("开通声纹")
        assert "您已经有声纹了" in said_ and "重新录制声纹" in said_
        await phone.key("1#")
        assert "请用声音核实" in await phone.key(CODE), "the old voice, beside the code"
        assert "第一遍" in await aloud(phone)
        for _ in range(3):
            await aloud(phone)
        life.a_minute_later()
        assert "取消声纹" in await phone.say("取消声纹")
        await phone.key("1#")
        assert "请用声音核实" in await phone.key(CODE)
        assert "取消声纹成功" in await aloud(phone)
    assert await life.count(Voiceprint) == 0


@pytest.mark.parametrize(("decoys", "asks"), [(16, "请跟我念"), (0, "验证码已发")])
async def test_a_number_the_bank_does_not_know_may_be_asked_for_its_voice_too_and_never_fits(
    life: Life, decoys: int, asks: str
) -> None:
    with patch("banking_core.voiceprints.logins.DECOYS_OF_16", decoys):
        async with life.call("13912345678") as phone:
            answer = await phone.say("查余额")
            assert asks in answer
            for _ in range(3 if decoys else 0):
                answer = await aloud(phone)
            assert "验证码已发" in answer
    assert await life.count(VoiceAttempt) == 0


async def test_without_an_encoder_nothing_of_it_is_offered(life: Life) -> None:
    life.product.bank.voiceprints.use(None)
    async with life.call() as phone:
        assert "验证码已发" in await phone.say("查余额")
        await log_in(phone)
        assert "声纹现在用不了" in await phone.say("开通声纹")
