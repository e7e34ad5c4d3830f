"""The voice speaks Chinese at telephone quality, and keeps on disk only what it always says."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from bot.channels.phone.audio import duration_ms
from bot.channels.phone.errors import SpeakingFailed
from bot.channels.phone.loop import manner
from bot.channels.phone.speaking import CachedSpeaker, EspeakSpeaker, FallbackSpeaker, PiperSpeaker, espeak


async def said(speaker, text, rate=1.0):
    return b"".join([pcm async for pcm in speaker.speak(text, rate)])


def alike(one, other):
    """Whether two recordings are the same words: equally long, and the same spectrum at the same moments."""
    if abs(len(one) - len(other)) > 1600:
        return False
    pictures = []
    for pcm in (one, other):
        samples = np.frombuffer(pcm, "<i2").astype(float)
        frames = samples[: min(len(one), len(other)) // 2 // 160 * 160].reshape(-1, 160)
        pictures.append(np.log(np.abs(np.fft.rfft(frames)) + 100).ravel())
    return np.corrcoef(*pictures)[0, 1] > 0.8


async def test_a_sentence_is_heard_about_as_long_as_a_person_takes():
    pcm = await said(EspeakSpeaker(), "您好，请说您要办的事。")
    samples = np.frombuffer(pcm, "<i2").astype(float)
    assert 1200 < duration_ms(pcm) < 6000
    assert np.sqrt(np.mean(samples**2)) > 500 and np.max(np.abs(samples)) <= 32767


async def test_different_words_sound_different_and_the_same_the_same():
    speaker = EspeakSpeaker()
    first, second, again = [await said(speaker, text) for text in ("五百元", "六千元", "五百元")]
    assert alike(first, again) and not alike(first, second)


async def test_slower_is_longer_and_faster_shorter():
    slow, normal, fast = [await said(EspeakSpeaker(), "给李四转五百元", rate) for rate in (0.6, 1.0, 1.2)]
    assert len(slow) > 1.2 * len(normal) > 1.2 * len(fast) * 1.02


@pytest.mark.parametrize("text", ["", "。", "\0", "嗯" * 1000])
async def test_any_text_is_spoken_or_silent(text):
    assert len(await said(EspeakSpeaker(), text)) % 2 == 0


async def test_two_calls_may_speak_at_once():
    texts = ["五百元", "六千元", "查余额", "转人工"]
    alone = [await said(EspeakSpeaker(), text) for text in texts]
    together = await asyncio.gather(*(said(EspeakSpeaker(), text) for text in texts))
    assert [[alike(one, other) for other in alone] for one in together] == np.eye(len(texts)).tolist()


class Counting:
    """A voice that counts how often it is asked."""

    def __init__(self):
        self.times = 0

    async def speak(self, text, rate):
        self.times += 1
        if text == "broken":
            raise SpeakingFailed
        yield text.encode() + b"1"
        yield b"2"


async def test_what_is_always_said_is_rendered_once_even_over_a_restart(tmp_path):
    for times in (1, 1):
        inner = Counting()
        speaker = CachedSpeaker(inner, tmp_path / "voice", ["greeting"], voice="v")
        assert [await said(speaker, "greeting") for _ in range(3)] == [b"greeting12"] * 3
        assert inner.times <= times
    assert inner.times == 0


async def test_what_is_always_said_can_be_rendered_before_anybody_calls(tmp_path):
    inner = Counting()
    speaker = CachedSpeaker(inner, tmp_path / "voice", ["a", "b"], voice="v")
    await speaker.prepare()
    await speaker.prepare()
    assert inner.times == 2
    assert await said(speaker, "b") == b"b12" and inner.times == 2


def test_every_sentence_of_the_lines_own_is_kept():
    """But those that hold choices, and what the keys say."""
    own = {
        piece
        for name, value in vars(manner).items()
        if name.isupper() and name not in ("MENU", "ALWAYS_SAID") and isinstance(value, tuple)
        for part in value
        for piece in (part if isinstance(part, tuple) else (part,))
    }
    assert own <= manner.ALWAYS_SAID and len(own) > 20


async def test_a_balance_is_never_written_to_disk(tmp_path):
    speaker = CachedSpeaker(Counting(), tmp_path, ["greeting"], voice="v")
    await said(speaker, "余额一千元")
    assert list(tmp_path.iterdir()) == []


async def test_another_rate_or_voice_is_another_recording(tmp_path):
    inner = Counting()
    await said(CachedSpeaker(inner, tmp_path, ["a"], voice="v"), "a", 1.0)
    await said(CachedSpeaker(inner, tmp_path, ["a"], voice="v"), "a", 0.8)
    await said(CachedSpeaker(inner, tmp_path, ["a"], voice="w"), "a", 1.0)
    assert inner.times == 3


async def test_what_was_not_rendered_to_its_end_is_not_kept(tmp_path):
    speaker = CachedSpeaker(Counting(), tmp_path, ["broken", "a"], voice="v")
    with pytest.raises(SpeakingFailed):
        await said(speaker, "broken")
    part = speaker.speak("a", 1.0)
    await anext(part)
    await part.aclose()
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_cannot_be_written_does_not_silence_the_voice(tmp_path):
    (tmp_path / "file").write_text("")
    speaker = CachedSpeaker(Counting(), tmp_path / "file" / "voice", ["a"], voice="v")
    assert await said(speaker, "a") == b"a12"


def test_the_name_of_the_built_in_voice_changes_with_its_library(monkeypatch):
    before = espeak.name()
    assert before.startswith("espeak-ng 1.")
    monkeypatch.setattr(espeak, "WORDS_PER_MINUTE", 200)
    assert espeak.name() != before


class Package:
    """Of the shape of piper-tts 1.8, where that is not installed; each sentence is a tenth of a second at 22,050 Hz."""

    class SynthesisConfig:
        def __init__(self, length_scale):
            self.length_scale = length_scale

    class PiperVoice:
        config = SimpleNamespace(length_scale=1.1)
        asked: ClassVar[list] = []

        @classmethod
        def load(cls, model):
            if not Path(model).read_bytes():
                raise RuntimeError("an empty graph")
            return cls()

        def synthesize(self, text, config):
            self.asked.append((text, config.length_scale))
            if "坏" in text:
                raise RuntimeError(text)
            for _ in text.split("。")[:-1]:
                at = np.arange(2205) / 22_050
                samples = (np.sin(2 * np.pi * 440 * at) * 9000).astype(np.int16)
                yield SimpleNamespace(audio_int16_array=samples, sample_rate=22_050)


@pytest.fixture
def piper(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "piper", Package)
    (tmp_path / "zh.onnx").write_bytes(b"a voice")
    return tmp_path / "zh.onnx"


async def test_a_piper_voice_speaks_sentence_by_sentence_at_the_rate_of_the_telephone(piper):
    speaker = PiperSpeaker(piper)
    parts = [pcm async for pcm in speaker.speak("您好。请讲。", 0.8)]
    assert [duration_ms(pcm) for pcm in parts] == [100, 100]
    spectrum = np.abs(np.fft.rfft(np.frombuffer(parts[0], "<i2").astype(float)))
    assert np.argmax(spectrum) * 8000 / 800 == 440
    assert Package.PiperVoice.asked[-1] == ("您好。请讲。", pytest.approx(1.1 / 0.8))


async def test_the_first_sentence_sounds_before_the_next_is_rendered_and_a_fault_quotes_nothing(
    piper, monkeypatch
):
    begun = []

    def slowly(_self, text, _config):
        for number in (1, 2):
            begun.append(number)
            if number == 2:
                raise RuntimeError(text)
            yield SimpleNamespace(audio_int16_array=np.ones(2205, np.int16), sample_rate=22_050)

    monkeypatch.setattr(Package.PiperVoice, "synthesize", slowly)
    part = PiperSpeaker(piper).speak("余额一千元。谢谢。", 1.0)
    assert await anext(part) and begun == [1]
    with pytest.raises(SpeakingFailed) as failure:
        await anext(part)
    assert "余额" not in str(failure.value)


def test_a_piper_voice_that_cannot_be_had_says_why(piper, monkeypatch, tmp_path):
    (tmp_path / "empty.onnx").write_bytes(b"")
    for broken in (tmp_path / "nowhere.onnx", tmp_path / "empty.onnx"):
        with pytest.raises(SpeakingFailed, match=broken.name):
            PiperSpeaker(broken)
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(SpeakingFailed, match="piper-tts"):
        PiperSpeaker(piper)


def test_another_voice_file_under_the_same_name_is_another_voice(piper):
    before = PiperSpeaker(piper).name
    piper.write_bytes(b"another voice")
    assert PiperSpeaker(piper).name != before


class Breaking:
    """A voice that breaks in what it is told to, after some sound."""

    def __init__(self, breaks=("broken",)):
        self.asked, self.breaks = [], breaks

    async def speak(self, text, rate):
        self.asked.append(text)
        yield b"half"
        if text in self.breaks:
            raise SpeakingFailed("no breath")
        yield b"whole"


async def test_a_sentence_that_one_voice_cannot_say_is_said_by_the_other(tmp_path):
    first, second = Breaking(), Breaking(())
    speaker = FallbackSpeaker(CachedSpeaker(first, tmp_path, ["broken"], voice="v"), second)
    assert await said(speaker, "fine", 1.0) == b"halfwhole" and second.asked == []
    await said(speaker, "broken", 1.0)
    assert second.asked == ["broken"] and list(tmp_path.iterdir()) == [], "nothing of it is kept"
    await said(speaker, "fine", 1.0)
    for _ in range(3):
        await said(speaker, "broken", 1.0)
    await said(speaker, "fine", 1.0)
    assert first.asked[-1] == "broken" and second.asked[-1] == "fine", "three in a row are enough"


async def test_a_call_has_no_voice_only_when_both_have_failed(tmp_path):
    speaker = FallbackSpeaker(CachedSpeaker(Breaking(), tmp_path, [], voice="v"), Breaking())
    with pytest.raises(SpeakingFailed):
        await said(speaker, "broken", 1.0)
