"""Whole calls from sound to money: line, loop, recogniser, bundled encoder, bank. Understanding alone is a stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from random import Random

import pytest
from sqlalchemy import select

from banking_core.clock import ManualClock
from banking_core.voiceprints.models import VoiceAttempt
from bot.assembly import Product
from bot.channels.phone.examining import EncodedVoices, Examiner
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.voiceprint.listener import Voiceprint
from tests.banking_core.identity.logging_in import CODE
from tests.bot.channels.phone.demo_bank import product
from tests.bot.channels.phone.speakers import Person, PromptHearing, Reader, plays
from tests.bot.channels.phone.telephone import Telephone, calling
from tests.bot.channels.phone.test_telephone_bank import log_in, on_duty, orders
from tests.bot.channels.phone.voiceprint.voices import needs_recordings, readers

__all__ = ["product"]
CUSTOMER, SOMEBODY = "f3", "m8"  # two voices of espeak-ng that the encoder tells apart
WISH = "给李四转两千元"


class Sounds:
    """A bank that knows voices by the bundled encoder, and its telephone."""

    def __init__(self, product: Product) -> None:
        self.product = product
        voiceprint = Voiceprint.load()
        self.examiner, self.hearing = Examiner(voiceprint, load()), PromptHearing()
        product.bank.voiceprints.use(EncodedVoices(voiceprint))
        product.bank.voiceprints.prompts.randbelow = Random(5).randrange

    def call(self) -> AbstractAsyncContextManager[Telephone]:
        return calling(self.product, hearing=self.hearing, examiner=self.examiner)

    def later(self, seconds: float) -> None:
        assert isinstance(self.product.clock, ManualClock)
        self.product.clock.advance(seconds=seconds)

    async def outcomes(self) -> list[str]:
        """What became of each recording."""
        async with self.product.database.snapshot() as session:
            found = await session.scalars(select(VoiceAttempt).order_by(VoiceAttempt.at))
            return [attempt.outcome for attempt in found]

    async def transfers(self) -> list[tuple[str, list[str]]]:
        """Status and proofs of each."""
        return [(one.status, one.proofs) for one in await orders(self.product) if one.kind == "transfer"]

    async def enrol(self, person: Person) -> None:
        """The customer agrees and is recorded; a day later it counts for orders."""
        async with self.call() as phone:
            await person.says(phone, "查余额")
            await log_in(phone)
            self.later(61)
            await person.says(phone, "开通声纹")
            await person.says(phone, "同意")
            assert "第一遍" in await phone.key(CODE)
            for _ in range(2):
                assert "遍，请跟我念" in await person.repeats(phone)
            assert "声纹录好了" in await person.repeats(phone)
        self.later(24 * 3600)

    async def up_to_the_voice(self, phone: Telephone, person: Person) -> None:
        """A log-in by code, a transfer read back and confirmed, the order's own code: the digits are read out."""
        self.later(61)
        await person.says(phone, "查余额")
        await person.says(phone, "用验证码")
        await log_in(phone)
        self.later(61)
        assert "收款人李四" in await person.says(phone, WISH)
        assert "验证码已发" in await person.says(phone, "确认")
        assert "请用声音核实" in await phone.key(CODE)


@pytest.fixture
async def bank(product: Product) -> AsyncIterator[Sounds]:
    made = Sounds(product)
    yield made
    await made.examiner.close()
    await made.hearing.close()


async def test_the_customers_voice_pays_once_and_a_recording_of_it_does_not(bank: Sounds) -> None:
    customer = Person(CUSTOMER)
    await bank.enrol(customer)
    async with bank.call() as phone:
        await bank.up_to_the_voice(phone, customer)
        assert "转账成功" in await customer.repeats(phone)
    paid = [("executed", ["otp", "possession", "voice"])]
    assert await bank.transfers() == paid
    thief = Person(SOMEBODY)
    async with bank.call() as phone:
        await bank.up_to_the_voice(phone, thief)
        await on_duty(bank.product)
        assert "转接人工" in await plays(phone, customer.said[-1])
        assert [item.reason for item in await bank.product.handoff.queue()] == ["risk"]
    assert await bank.outcomes() == ["enrolled"] * 3 + ["ok", "replayed"]
    assert await bank.transfers() == [*paid, ("confirmed", ["otp"])]


async def test_another_voice_with_the_right_digits_and_the_code_ends_at_a_human(bank: Sounds) -> None:
    await bank.enrol(Person(CUSTOMER))
    thief = Person(SOMEBODY)
    async with bank.call() as phone:
        await bank.up_to_the_voice(phone, thief)
        await on_duty(bank.product)
        assert "没有核实成功" in await thief.repeats(phone)
        assert "转接人工" in await thief.repeats(phone)
        assert [item.reason for item in await bank.product.handoff.queue()] == ["risk"]
    assert await bank.outcomes() == ["enrolled"] * 3 + ["wrong_voice"] * 2
    assert await bank.transfers() == [("confirmed", ["otp"])]


async def test_what_is_no_good_is_said_and_costs_a_try_and_nothing_else(bank: Sounds) -> None:
    customer = Person(CUSTOMER)
    await bank.enrol(customer)
    async with bank.call() as phone:
        await bank.up_to_the_voice(phone, customer)
        assert "太短了" in await customer.says(phone, "三四五")
        assert "没有对上" in await customer.says(phone, "今天天气很好，我们去公园。")
        assert "转账成功" in await customer.repeats(phone)
    assert await bank.outcomes() == ["enrolled"] * 3 + ["fault", "wrong_digits", "ok"]


class AnyDigits:
    """Takes everything for the digits that were asked for."""

    def llr(self, digits: str, pcm: bytes) -> float:
        return 20.0


@needs_recordings
async def test_a_real_voice_never_heard_in_training_pays_and_another_does_not(bank: Sounds) -> None:
    bank.examiner._ear = AnyDigits()  # type: ignore[assignment]
    customer, somebody = (Reader(readers()[who]) for who in list(readers())[:2])
    await bank.enrol(customer)
    async with bank.call() as phone:
        await bank.up_to_the_voice(phone, customer)
        assert "转账成功" in await customer.repeats(phone)
    async with bank.call() as phone:
        await bank.up_to_the_voice(phone, somebody)
        await on_duty(bank.product)
        answers = [await somebody.repeats(phone) for _ in range(3)]
        assert any("转接人工" in answer for answer in answers)
    first, later = (await bank.outcomes())[:4], (await bank.outcomes())[4:]
    assert first == ["enrolled"] * 3 + ["ok"]
    assert later.count("wrong_voice") == 2 and set(later) <= {"fault", "wrong_voice"}
    assert [status for status, _ in await bank.transfers()] == ["executed", "confirmed"]
