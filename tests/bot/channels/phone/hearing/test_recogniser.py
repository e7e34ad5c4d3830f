"""One call is heard in order, off the event loop, and a broken stage is told rather than waited for."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.channels.phone.audio import FRAME_BYTES, SILENCE
from bot.channels.phone.errors import HearingFailed
from bot.channels.phone.hearing import VoskHearing, engine
from bot.channels.phone.hearing.choosing import Understood
from bot.channels.phone.hearing.engine import VoskRecogniser
from bot.channels.phone.hearing.loading import Loaded
from bot.channels.phone.hearing.spelling import Spelling
from bot.channels.phone.hearing.voice import STOP_FRAMES
from bot.channels.phone.loop import Expect, Final, Partial, StageBroke
from bot.channels.phone.speaking.espeak import synthesise


class ScriptedDecoder:
    """Understands the number of sentences it was fed, and which grammar was asked for."""

    def __init__(self, *_):
        self.fed = 0
        self.sentences = 0
        self.grammars = []
        self.breaks = False

    def use(self, grammar):
        self.grammars.append(grammar)

    def feed(self, pcm):
        if self.breaks:
            raise RuntimeError("一二三四五六")
        self.fed += len(pcm)

    def partial(self):
        return f"{self.fed // FRAME_BYTES // 10}"

    def finish(self):
        self.sentences += 1
        text = f"句{self.sentences}" if self.fed else ""
        self.fed = 0
        return Understood(text)

    def drop(self):
        self.fed = 0


@pytest.fixture
def call(monkeypatch):
    monkeypatch.setattr(engine, "Decoder", ScriptedDecoder)
    told = []
    with ThreadPoolExecutor(2) as executor:
        loaded = Loaded("scripted", None, 8000)
        ears = VoskRecogniser(loaded, Spelling(lambda _: True), executor, told.append, free_speech=False)
        yield ears, told, executor


def speak(ears, text="确认转账"):
    pcm = synthesise(text, 1.0)
    for at in range(0, len(pcm) - FRAME_BYTES, FRAME_BYTES):
        ears.feed(pcm[at : at + FRAME_BYTES])


def finals(told):
    return [event.text for event in told if isinstance(event, Final)]


def test_every_sentence_asked_for_gives_one_final_in_order(call):
    ears, told, executor = call
    for _ in range(3):
        speak(ears)
        ears.take_final()
    executor.shutdown(wait=True)
    assert finals(told) == ["句1", "句2", "句3"]


def test_silence_is_not_decoded_and_its_final_is_empty(call):
    ears, told, executor = call
    for _ in range(200):
        ears.feed(SILENCE)
    ears.take_final()
    executor.shutdown(wait=True)
    assert finals(told) == [""] and len(told) == 1 and ears._decoder.fed == 0


def test_what_was_said_before_the_detector_was_sure_is_heard_too(call):
    ears, _, executor = call
    speak(ears, "五")
    length = len(synthesise("五", 1.0))
    ears._pass_on()
    executor.shutdown(wait=True)
    assert ears._decoder.fed > 0.8 * length


def test_as_soon_as_the_voice_has_stopped_the_decoder_hears_what_it_needs_to_be_sure(call):
    ears, _, executor = call
    speak(ears, "五")
    for _ in range(STOP_FRAMES):
        ears.feed(SILENCE)
    before = len(synthesise("五", 1.0)) + STOP_FRAMES * FRAME_BYTES
    executor.shutdown(wait=True)
    assert ears._decoder.fed >= 0.8 * before + len(engine.AHEAD) and not ears._waiting


def test_a_dropped_sentence_has_no_final(call):
    ears, told, executor = call
    speak(ears)
    ears.drop()
    ears.take_final()
    executor.shutdown(wait=True)
    assert finals(told) == [""]


def test_partials_come_only_when_they_change(call):
    ears, told, executor = call
    speak(ears, "我要给李四转五百块钱")
    ears.take_final()
    executor.shutdown(wait=True)
    partials = [event.text for event in told if isinstance(event, Partial)]
    assert partials == list(dict.fromkeys(partials))


def test_the_same_expectation_twice_costs_nothing(call):
    ears, _, executor = call
    for _ in range(5):
        ears.expect(Expect.CODE, ())
    executor.shutdown(wait=True)
    assert [made.digits for made in ears._decoder.grammars] == [False, True]


def test_a_stage_that_breaks_is_told_once_and_says_nothing_of_the_words(call, caplog):
    ears, told, executor = call
    ears._decoder.breaks = True
    speak(ears)
    ears.take_final()
    speak(ears)
    executor.shutdown(wait=True)
    assert told == [StageBroke("hearing")]
    assert "RuntimeError" in caplog.text and "一二三" not in caplog.text


def test_after_the_call_nothing_is_told(call):
    ears, told, executor = call
    ears.close()
    speak(ears)
    ears.take_final()
    executor.shutdown(wait=True)
    assert told == []


@pytest.mark.parametrize("which", ["/nowhere/at/all", "no-such-model", ""])
async def test_without_a_model_the_call_is_told_so_at_once(which, tmp_path):
    hearing = VoskHearing(which or str(tmp_path))
    with pytest.raises(HearingFailed):
        hearing.recogniser(lambda _: None)
    await asyncio.wait_for(hearing.close(), 5)
