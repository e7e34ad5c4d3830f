"""A whole call with stand-ins for ears, voice and bank, on a line that is a list and a clock that is moved."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest

from bot.channels.phone.audio import SAMPLE_RATE_HZ, SILENCE, duration_ms
from bot.channels.phone.bridge import Bridge, Bridges
from bot.channels.phone.call import EndReason
from bot.channels.phone.conductor import Conductor
from bot.channels.phone.errors import SpeakingFailed
from bot.channels.phone.loop import (
    Announced,
    CallLoop,
    Expect,
    Final,
    OwnerChanged,
    Partial,
    Replied,
    StageBroke,
    VoiceStarted,
    VoiceStopped,
)
from bot.channels.phone.loop import manner as words
from bot.channels.phone.tones import BUSY_TONE, BUSY_TONE_S
from tests.bot.channels.phone.manual import ManualTimer, TapeCall, settle, tone

VOICE = tone(1, value=1000)
PIECE_FRAMES = 50


class Detector:
    """Voice is any frame that is not silent."""

    def __init__(self):
        self.voice = False

    def feed(self, frame):
        was, self.voice = self.voice, frame != SILENCE
        if self.voice is was:
            return None
        return VoiceStarted() if self.voice else VoiceStopped()


class Ears:
    """Hears whatever the test has put on its tongue."""

    def __init__(self, tell):
        self.tell, self.words, self.expected, self.closed = tell, "", None, False

    def expect(self, expect, phrases):
        self.expected = expect, phrases

    def feed(self, frame):
        if frame != SILENCE and self.words:
            self.tell(Partial(self.words))

    def take_final(self):
        said, self.words = self.words, ""
        self.tell(Final(said))

    def drop(self):
        self.words = ""

    def close(self):
        self.closed = True


class Voice:
    """Each piece is a second of one sample value, which says which piece it was."""

    def __init__(self):
        self.pieces, self.broken = [], False

    async def speak(self, text, rate):
        if self.broken:
            raise SpeakingFailed
        self.pieces.append(text)
        for _ in range(PIECE_FRAMES):
            yield tone(1, value=len(self.pieces))
            await asyncio.sleep(0)


class Bank:
    """Answers at once, unless the test holds it back."""

    def __init__(self):
        self.asked, self.answers, self.finished = [], {}, 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.unasked: asyncio.Queue[object] = asyncio.Queue()

    async def ask(self, ask):
        self.asked.append(ask.text)
        await self.may_answer.wait()
        self.finished += 1
        pieces = self.answers[ask.text]
        return Replied(ask.turn, (pieces,), choices=("张三",), phrases=("李四",))

    async def news(self):
        while True:
            yield await self.unasked.get()


class Stage:
    def __init__(self):
        self.timer, self.detector, self.voice, self.bank = ManualTimer(), Detector(), Voice(), Bank()
        self.call = TapeCall(self.timer)
        self.bridges = Bridges()
        self.bridge = Bridge(self.call, lambda: "c1")
        self.conductor = Conductor(
            self.call,
            CallLoop(),
            self.timer,
            detector=self.detector,
            recogniser=self.make_ears,
            speaker=self.voice,
            assistant=self.bank,
            bridge=self.bridge,
        )

    async def run(self, _call):
        with self.bridges.open(self.bridge):
            await self.conductor.run()

    def make_ears(self, tell):
        self.ears = Ears(tell)
        return self.ears

    async def speak(self, said, frames=25):
        self.ears.words = said
        for _ in range(frames):
            self.call.heard(VOICE)
            await self.timer.advance(0.02)
        self.call.heard(SILENCE)
        await self.timer.advance(0.7)

    def sounding(self):
        return [value for _, what, value in self.call.tape if what == "frame"]


@asynccontextmanager
async def stage():
    made = Stage()
    running = asyncio.create_task(made.call.serve(made.run))
    await settle()
    async with asyncio.timeout(20):
        yield made
        made.call.ended(EndReason.CALLER)
        made.bank.may_answer.set()
        await running


async def test_a_caller_is_greeted_asks_and_is_answered():
    async with stage() as call:
        await call.timer.advance(3.0)
        assert call.voice.pieces == [*words.GREETING]
        call.bank.answers["查余额"] = "余额一千元。"
        await call.speak("查余额")
        await call.timer.advance(0.1)
        assert call.bank.asked == ["查余额"] and call.voice.pieces[-1] == "余额一千元。"
        assert call.ears.expected == (Expect.WORDS, ("张三", "李四"))


async def test_the_first_sound_leaves_before_the_sentence_has_been_rendered():
    class Slow:
        def __init__(self):
            self.go_on = asyncio.Event()

        async def speak(self, text, rate):
            yield tone(5, value=7)
            await self.go_on.wait()
            yield tone(5, value=8)

    async with stage() as call:
        slow = call.conductor._speaker = Slow()
        call.bank.answers["查余额"] = "余额一千元。"
        await call.speak("查余额")
        await call.timer.advance(0.2)
        assert 7 in call.sounding() and 8 not in call.sounding()
        slow.go_on.set()
        await call.timer.advance(0.3)
        assert 8 in call.sounding()


async def test_from_the_first_voice_to_silence_it_takes_less_than_200_ms():
    async with stage() as call:
        await call.timer.advance(0.5)
        call.ears.words = "查余额"
        call.call.heard(VOICE)
        began_s = call.timer.now_s()
        await call.timer.advance(1.0)
        last_s = max(at_s for at_s, what, _ in call.call.tape if what == "frame")
        assert last_s - began_s < 0.2
        assert "clear" in [what for _, what, _ in call.call.tape]


async def test_what_was_queued_before_an_interruption_is_never_heard():
    async with stage() as call:
        await call.timer.advance(0.2)
        call.bank.answers["查余额"] = "余额一千元。"
        await call.speak("查余额")
        greeting_frames = len([value for value in call.sounding() if value in (1, 2)])
        await call.timer.advance(5.0)
        assert len([value for value in call.sounding() if value in (1, 2)]) == greeting_frames


async def test_after_a_false_alarm_the_prompt_goes_on():
    async with stage() as call:
        await call.timer.advance(0.5)
        await call.speak("", frames=5)
        await call.timer.advance(3.0)
        assert call.voice.pieces == [*words.GREETING, *words.GREETING]
        assert call.bank.asked == []


async def test_keys_reach_the_bank():
    async with stage() as call:
        call.bank.answers["转账"] = "转给谁？"
        call.call.keyed("2")
        call.call.keyed("#")
        await settle()
        assert call.bank.asked == ["转账"]


async def test_a_turn_under_way_is_finished_when_the_caller_hangs_up_and_its_answer_is_not_spoken():
    async with stage() as call:
        await call.timer.advance(3.0)
        call.bank.answers["查余额"] = "余额一千元。"
        call.bank.may_answer.clear()
        await call.speak("查余额")
        spoken = len(call.voice.pieces)
        call.call.ended(EndReason.CALLER)
        await settle()
        call.bank.may_answer.set()
        await settle()
        assert call.bank.finished == 1 and len(call.voice.pieces) == spoken
        assert call.ears.closed and call.call.closed == 1


@pytest.mark.parametrize("moment_s", [0.0, 0.3, 1.0, 1.5, 2.5, 3.5, 12.0])
async def test_hanging_up_at_any_moment_ends_everything(moment_s):
    async with stage() as call:
        await call.timer.advance(moment_s)
        call.call.ended(EndReason.LOST)
        await settle()
        assert call.ears.closed and call.call.closed == 1


async def test_a_bank_that_breaks_is_owned_up_to():
    async with stage() as call:
        await call.timer.advance(3.0)
        await call.speak("没有准备的问题")
        await call.timer.advance(2.5)
        assert call.voice.pieces[-2:] == [*words.TURN_BROKE]


async def test_ears_that_break_are_owned_up_to_and_the_keys_go_on():
    async with stage() as call:
        await call.timer.advance(3.0)
        call.ears.tell(StageBroke("hearing"))
        await call.timer.advance(0.5)
        assert words.HEARING_BROKE in call.voice.pieces
        call.bank.answers["查余额"] = "余额一千元。"
        call.call.keyed("1")
        await call.timer.advance(2.0)
        assert call.bank.asked == ["查余额"]


async def test_a_voice_that_breaks_gives_the_busy_tone_and_then_the_end():
    async with stage() as call:
        await call.timer.advance(3.0)
        call.voice.broken = True
        call.bank.unasked.put_nowait(Announced(("您好。",)))
        before = len(call.sounding())
        await call.timer.advance(BUSY_TONE_S + 0.5)
        assert len(call.sounding()) - before >= duration_ms(BUSY_TONE) / 20 - 2
        assert call.call.end_reason is EndReason.US


async def test_a_silent_caller_is_hung_up_on_in_the_end():
    async with stage() as call:
        await call.timer.advance(40.0)
        assert [*words.GOODBYE_SILENT] == call.voice.pieces[-2:]
        assert call.call.end_reason is EndReason.US


async def test_an_agent_who_joins_and_the_caller_hear_each_other_until_the_call_is_given_back():
    async with stage() as call:
        await call.timer.advance(3.0)
        for owner in ("queue", "agent"):
            call.bank.unasked.put_nowait(OwnerChanged(owner))
        await call.timer.advance(1.0)
        assert words.AGENT_READS[0] in call.voice.pieces
        with call.bridges.join("c1") as sound:
            heard = []
            listening = asyncio.create_task(collect(sound, heard))
            sound.say(tone(5, value=77))  # before the caller was told: not said
            await call.timer.advance(3.0)
            assert call.voice.pieces[-1] == words.AGENT_HERE[-1] and 77 not in call.sounding()
            call.call.heard(tone(1, value=88))
            sound.say(tone(5, value=99))
            await call.timer.advance(1.0)
            assert heard == [tone(1, value=88)] and call.sounding().count(99) == 5
            assert call.bank.asked == []
            for _ in range(100):
                sound.say(tone(5, value=66))
            await call.timer.advance(2.0)
            assert call.sounding().count(66) <= 20
            call.bank.unasked.put_nowait(OwnerChanged("bot"))
            await call.timer.advance(0.1)
            await listening
            sound.say(tone(5, value=55))
            await call.timer.advance(1.0)
            assert 55 not in call.sounding()


async def test_an_agent_who_leaves_the_sound_goes_on_reading():
    async with stage() as call:
        await call.timer.advance(3.0)
        call.bank.unasked.put_nowait(OwnerChanged("agent"))
        await call.timer.advance(1.0)
        with call.bridges.join("c1"):
            await call.timer.advance(3.0)
        await call.timer.advance(5.0)
        assert call.voice.pieces[-2:] == [*words.AGENT_READS]
        call.bank.answers["你好"] = ""
        await call.speak("你好")
        assert call.bank.asked == ["你好"]


async def test_a_second_agents_page_takes_the_sound_from_the_first_and_the_end_of_the_call_ends_it():
    async with stage() as call:
        await call.timer.advance(3.0)
        call.bank.unasked.put_nowait(OwnerChanged("agent"))
        with call.bridges.join("c1") as first, call.bridges.join("c1") as second:
            await call.timer.advance(4.0)
            first.say(tone(2, value=44))
            second.say(tone(2, value=33))
            await call.timer.advance(0.5)
            assert 44 not in call.sounding() and 33 in call.sounding()
            listening = asyncio.create_task(collect(second, []))
            call.call.ended(EndReason.CALLER)
            await settle()
            await listening
        with call.bridges.join("c1") as nobody:
            assert nobody is None


async def collect(sound, heard):
    async for pcm in sound.listen():
        heard.append(pcm)


def test_the_busy_tone_is_450_hz():
    samples = np.frombuffer(BUSY_TONE[: int(SAMPLE_RATE_HZ * 0.35) * 2], "<i2")
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(int(np.argmax(spectrum)) * SAMPLE_RATE_HZ / len(samples) - 450) < 3


async def test_a_detector_that_breaks_is_owned_up_to_and_the_call_still_ends():
    class Broken(Detector):
        def feed(self, frame):
            raise RuntimeError

    async with stage() as call:
        call.conductor._detector = Broken()
        await call.timer.advance(5.0)
        call.call.heard(VOICE)
        await call.timer.advance(1.0)
        assert call.voice.pieces[2] == words.HEARING_BROKE
        call.bank.answers["转人工"] = "请稍等。"
        call.call.keyed("0")
        await call.timer.advance(3.0)
        assert call.bank.asked == ["转人工"]
        call.call.ended(EndReason.CALLER)
        await settle()
        assert call.conductor._loop.over


async def test_a_call_that_nobody_listens_to_any_more_ends_and_leaks_no_line():
    def breaks(_pcm):
        raise RuntimeError

    async with stage() as call:
        await call.timer.advance(1.0)
        call.bridge.caller_says = breaks
        call.call.heard(VOICE)
        await settle()
        assert call.conductor._loop.over


async def test_news_that_break_off_are_followed_again():
    async with stage() as call:
        broken = call.bank.news
        tries = []

        async def news():
            tries.append(call.timer.now_s())
            if len(tries) == 1:
                raise RuntimeError
            async for event in broken():
                yield event

        call.bank.unasked.put_nowait(Announced(("已到账。",)))
        await call.timer.advance(5.0)
        assert "已到账。" in call.voice.pieces
