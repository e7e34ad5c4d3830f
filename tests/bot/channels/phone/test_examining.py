"""Real sound through the bundled models: what the line makes of digits said aloud, and what the bank makes of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from banking_core.configuration import Terms
from banking_core.voiceprints import SpokenPassword, VoiceSample
from bot.channels.phone.audio import codec
from bot.channels.phone.examining import EncodedVoices, Examiner, packed, unpacked
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.speaking import EspeakSpeaker
from bot.channels.phone.voiceprint.embedding import Embedding
from bot.channels.phone.voiceprint.listener import Voiceprint
from bot.dialogue.reading.speech import digits_to_spoken

NOW = datetime(2026, 11, 2, tzinfo=UTC)
LEAST = float(Terms.load().number("voiceprint.content_llr"))


async def sound(digits: str, *, pitch: float = 1.0) -> bytes:
    """Digits over a telephone line, said by a machine: the same one always sounds the same, as a replay would.

    `pitch` makes another throat of it.
    """
    line = codec("PCMU")
    words = f"{digits_to_spoken(digits[:4])}，{digits_to_spoken(digits[4:])}"
    pcm = b"".join([piece async for piece in EspeakSpeaker().speak(words, 0.8)])
    wave = np.frombuffer(pcm, "<i2").astype(np.float64)
    if pitch != 1.0:
        wave = np.interp(np.arange(0, len(wave), pitch), np.arange(len(wave)), wave)
    noise = np.random.default_rng(1).normal(0.0, 20.0, len(wave) + 8000)
    noise[4000 : 4000 + len(wave)] += wave
    return line.decode(line.encode(np.clip(noise, -32768, 32767).astype("<i2").tobytes()))


@pytest.fixture(scope="module")
def voiceprint() -> Voiceprint:
    return Voiceprint.load()


@pytest.fixture
async def examiner(voiceprint: Voiceprint) -> AsyncIterator[Examiner]:
    made = Examiner(voiceprint, load())
    yield made
    await made.close()


async def heard(
    examiner: Examiner, digits: str, asked: str = "", *former: bytes, pitch: float = 1.0
) -> VoiceSample:
    return await examiner.examine(
        await sound(digits, pitch=pitch), SpokenPassword("p", asked or digits, former)
    )


async def test_the_same_voice_with_other_digits_is_known_and_another_one_is_not(
    examiner: Examiner, voiceprint: Voiceprint
) -> None:
    bank = EncodedVoices(voiceprint)
    recorded = [await heard(examiner, digits) for digits in ("38295067", "16472905", "59081364")]
    assert {sample.fault for sample in recorded} == {""} and all(one.content >= LEAST for one in recorded)
    template = bank.template([one.embedding for one in recorded], NOW)
    assert template is not None
    again = await heard(examiner, "72960513")
    same = bank.compare(template, again.embedding, NOW)
    other = bank.compare(template, (await heard(examiner, "72960513", pitch=1.35)).embedding, NOW)
    assert "high" in same.accepted and other.llr < same.llr and "medium" not in other.accepted


async def test_a_recording_is_known_again_and_other_digits_are_told_apart(examiner: Examiner) -> None:
    first = await heard(examiner, "38295067")
    again = await heard(examiner, "38295067", "16472905", first.fingerprint)
    assert again.replayed and again.content < LEAST


async def test_silence_and_noise_are_faults_and_their_sound_is_not_kept(examiner: Examiner) -> None:
    hiss = np.random.default_rng(2).normal(0, 300, 24_000).astype("<i2").tobytes()
    for pcm in (b"", bytes(48_000), hiss):
        sample = await examiner.examine(pcm, SpokenPassword("p", "38295067"))
        assert sample.fault and sample.audio == b"" and sample.embedding == b""


async def test_sound_is_passed_on_only_where_the_bank_keeps_it(voiceprint: Voiceprint) -> None:
    examiner = Examiner(voiceprint, load(), keep_audio=True)
    pcm = await sound("38295067")
    assert (await examiner.examine(pcm, SpokenPassword("p", "38295067"))).audio == pcm
    await examiner.close()


def test_what_is_no_template_is_like_nobody(voiceprint: Voiceprint) -> None:
    bank = EncodedVoices(voiceprint)
    voice = Embedding(np.eye(1, 128, dtype=np.float32)[0], voiceprint.model, 3.0)
    assert bank.compare(b"nonsense", packed(voice), NOW + timedelta(days=1)).accepted == frozenset()
    assert np.array_equal(unpacked(packed(voice)).vector, voice.vector)


async def test_calls_go_on_while_a_voice_is_looked_at(examiner: Examiner) -> None:
    pcm, ticks = await sound("38295067"), 0
    task = asyncio.create_task(examiner.examine(pcm, SpokenPassword("p", "38295067")))
    while not task.done():
        ticks += 1
        await asyncio.sleep(0)
    assert ticks > 10
