"""What every line promises: order, pace, silence on demand, one end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise

from bot.channels.phone.audio import FRAME_BYTES
from bot.channels.phone.call import Ended, EndReason, Key, Played, Sound
from bot.channels.phone.paced import HEARD_FRAMES_MAX, KEYS_WAITING_MAX
from tests.bot.channels.phone.manual import ManualTimer, TapeCall, settle, tone


@asynccontextmanager
async def serving(call, answer=None):
    """The call, and the events its answer has seen so far."""
    seen: list[object] = []

    async def read(on):
        async for event in on.events():
            seen.append(event)

    task = asyncio.create_task(call.serve(answer or read))
    await settle()
    yield seen
    await call.hang_up()
    await task


def sent(call, kind):
    return [value for _, what, value in call.tape if what == kind]


async def test_sound_is_paced_and_the_mark_comes_when_it_was_heard():
    timer = ManualTimer()
    async with serving(call := TapeCall(timer)) as seen:
        call.say(tone(5))
        call.mark("done")
        await timer.advance(0.05)
        assert len(sent(call, "frame")) == 3 and seen == []
        await timer.advance(0.06)
        assert len(sent(call, "frame")) == 5 and seen == [Played("done")]
        assert call.said_ms == 100


async def test_a_clear_stops_the_sound_within_one_frame_and_drops_its_marks():
    timer = ManualTimer()
    async with serving(call := TapeCall(timer)) as seen:
        call.say(tone(500))
        call.mark("never")
        await timer.advance(1.0)
        before = len(sent(call, "frame"))
        call.clear()
        cleared_s = timer.now_s()
        await timer.advance(30.0)
        assert len(sent(call, "frame")) <= before + 1 and seen == []
        ((at_s, _, _),) = [item for item in call.tape if item[1] == "clear"]
        assert at_s - cleared_s <= 0.02


async def test_what_is_said_right_after_a_clear_follows_it():
    timer = ManualTimer()
    async with serving(call := TapeCall(timer)):
        call.say(tone(50, value=1))
        await timer.advance(0.1)
        call.clear()
        call.say(tone(2, value=2))
        await timer.advance(1.0)
        order = [(what, value) for _, what, value in call.tape]
        assert order[order.index(("clear", None)) + 1 :] == [("frame", 2), ("frame", 2)]


async def test_a_continuous_line_sends_silence_at_the_same_pace():
    timer = ManualTimer()
    async with serving(call := TapeCall(timer, continuous=True)):
        await timer.advance(0.5)
        call.say(tone(5, value=7))
        await timer.advance(0.5)
        times = [at_s for at_s, _, _ in call.tape]
        assert sent(call, "frame").count(7) == 5
        assert 50 <= len(times) <= 52
        assert max(b - a for a, b in pairwise(times)) < 0.045


async def test_events_come_in_order_and_end_with_the_end():
    async with serving(call := TapeCall(ManualTimer())) as seen:
        call.heard(tone(1)[:200])
        call.heard(tone(1)[200:])
        call.keyed("5")
        call.keyed("x")
        call.ended(EndReason.CALLER)
        call.ended(EndReason.LOST)
        call.keyed("6")
        call.heard(tone(1))
        await settle()
        assert seen == [Sound(tone(1)), Key("5"), Ended(EndReason.CALLER)]


async def test_a_slow_reader_loses_the_oldest_sound_but_no_key_and_not_the_end():
    call = TapeCall(ManualTimer())
    call.keyed("1")
    for number in range(HEARD_FRAMES_MAX + 50):
        call.heard(tone(1, value=number))
    call.ended(EndReason.CALLER)
    events = [event async for event in call.events()]
    assert events[0] == Key("1") and events[1] == Sound(tone(1, value=50))
    assert len(events) == HEARD_FRAMES_MAX + 2 and events[-1] == Ended(EndReason.CALLER)
    assert call.frames_dropped == 50


async def test_keys_that_nobody_reads_are_bounded():
    call = TapeCall(ManualTimer())
    for _ in range(KEYS_WAITING_MAX + 5):
        call.keyed("1")
    call.ended(EndReason.CALLER)
    assert len([event async for event in call.events()]) == KEYS_WAITING_MAX + 1


async def test_the_line_is_let_go_of_once_whoever_hangs_up():
    for why in (EndReason.CALLER, EndReason.US, EndReason.LOST):
        async with serving(call := TapeCall(ManualTimer())):
            if why is not EndReason.US:
                call.ended(why)
        await call.hang_up()
        assert call.closed == 1 and call.end_reason is why


async def test_a_call_whose_answer_breaks_is_hung_up_and_its_words_are_not_logged(caplog):
    async def broken(_call):
        raise ValueError("secret words")

    async with serving(call := TapeCall(ManualTimer()), broken):
        await settle()
        assert call.closed == 1 and call.end_reason is EndReason.US
    assert "kind=ValueError at=broken" in caplog.text and "secret words" not in caplog.text


async def test_a_line_whose_task_is_cancelled_lets_the_answer_finish_what_it_has_begun():
    finished = asyncio.Event()

    async def busy(on):
        async for event in on.events():
            assert event == Ended(EndReason.LOST)
        await asyncio.sleep(0)
        finished.set()

    call = TapeCall(ManualTimer())
    task = asyncio.create_task(call.serve(busy))
    await settle()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() and finished.is_set() and call.closed == 1


async def test_a_line_that_breaks_while_speaking_ends_the_call():
    timer = ManualTimer()
    async with serving(call := TapeCall(timer)) as seen:
        call.broken = True
        call.say(tone(3))
        await timer.advance(0.1)
        assert seen == [Ended(EndReason.LOST)]


async def test_nothing_is_said_after_the_end():
    timer = ManualTimer()
    async with serving(call := TapeCall(timer)):
        call.say(tone(50))
        call.ended(EndReason.CALLER)
        call.say(tone(50))
        await timer.advance(2.0)
        assert len(sent(call, "frame")) <= 1


def test_a_key_does_not_show_itself_in_logs():
    assert "7" not in repr(Key("7"))
    assert len(Sound(bytes(FRAME_BYTES)).pcm) == FRAME_BYTES
