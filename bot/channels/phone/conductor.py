"""Plays one call: carries events into the call loop and does what it wants done. All decisions are the loop's."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from bot.channels.phone.bridge import Bridge as BridgeEnd
from bot.channels.phone.call import Call, Ended, Held, Key, Played, Sound
from bot.channels.phone.errors import StageFailed
from bot.channels.phone.loop import (
    Action,
    AgentListens,
    Ask,
    Bridge,
    BusyTone,
    CallerGone,
    CallLoop,
    CallPickedUp,
    DropHeard,
    Event,
    Expect,
    Glance,
    HangUp,
    HoldTone,
    KeyPressed,
    OnHold,
    PiecePlayed,
    Rate,
    Say,
    StageBroke,
    StopSound,
    TakeFinal,
    Tick,
    TurnBroke,
    VoiceStarted,
)
from bot.channels.phone.metrics import Stopwatch
from bot.channels.phone.ports import Assistant, RecogniserMaker, Speaker, VoiceDetector
from bot.channels.phone.recording import Recording
from bot.channels.phone.timing import Timer
from bot.channels.phone.tones import BUSY_TONE, BUSY_TONE_S, HOLD_TONE

log = logging.getLogger(__name__)

Onlooker = Callable[[Glance], None]
NEWS_AGAIN_S: Final = 3.0
GOODBYE_WAIT_S: Final = 0.2  # the last sound leaves before the line is cut


class Conductor:
    """One call, from its pick-up to its end."""

    def __init__(
        self,
        call: Call,
        loop: CallLoop,
        timer: Timer,
        *,
        detector: VoiceDetector,
        recogniser: RecogniserMaker,
        speaker: Speaker,
        assistant: Assistant,
        bridge: BridgeEnd | None = None,
        watch: Stopwatch | None = None,
        onlooker: Onlooker | None = None,
    ) -> None:
        self._call, self._loop, self._timer = call, loop, timer
        self._detector, self._speaker, self._assistant = detector, speaker, assistant
        self._bridge, self._watch, self._onlooker = bridge, watch, onlooker
        self._shown: Glance | None = None
        if bridge is not None:
            bridge.told = lambda on: self._tell(AgentListens(on))
        self._inbox: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._recogniser = recogniser
        self._recording, self._ears_broke = Recording(), False
        self._speaking: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the call has ended. A turn the bank works on is finished even when the caller has gone."""
        self._ears = self._recogniser(self._tell)  # who has none is greeted with the keys
        self._tell(CallPickedUp())
        around = [asyncio.create_task(self._hear()), asyncio.create_task(self._follow_news())]
        try:
            while not self._loop.over:
                event = await self._next()
                now_s = self._timer.now_s()
                if self._watch is not None:
                    self._watch.event(event, now_s)
                for action in self._loop.handle(event, now_s):
                    if self._watch is not None:
                        self._watch.action(action, now_s)
                    await self._do(action)
                self._ears.expect(self._loop.expect, self._loop.phrases)
                self._show()
        finally:
            self._hush()
            for task in around:
                task.cancel()
            await asyncio.gather(*around, return_exceptions=True)
            self._ears.close()
            await self._call.hang_up()
            await asyncio.gather(*self._asking, return_exceptions=True)

    def _show(self) -> None:
        """Tells the onlooker what has changed."""
        if self._onlooker is not None and (glance := self._loop.glance) != self._shown:
            self._shown = glance
            self._onlooker(glance)

    async def _next(self) -> Event:
        """The next event, or a tick when the loop wants one first."""
        while not self._inbox:
            wake_s = self._loop.wake_s
            if wake_s is not None and wake_s <= self._timer.now_s():
                return Tick()
            self._arrived.clear()
            alarm = None if wake_s is None else asyncio.create_task(self._ring(wake_s))
            try:
                await self._arrived.wait()
            finally:
                if alarm is not None:
                    alarm.cancel()
        return self._inbox.popleft()

    async def _ring(self, at_s: float) -> None:
        await self._timer.wait_until(at_s)
        self._arrived.set()

    def _tell(self, event: Event) -> None:
        self._inbox.append(event)
        self._arrived.set()

    async def _hear(self) -> None:
        """Whatever happens here, the loop learns of the end: a call that nobody listens to would never end."""
        try:
            await self._listen()
        except Exception as error:
            log.error("listening failed line=%s kind=%s", self._call.info.line, type(error).__name__)
        finally:
            self._tell(CallerGone())

    async def _listen(self) -> None:
        async for event in self._call.events():
            match event:
                case Sound(pcm):
                    if self._bridge is not None:
                        self._bridge.caller_says(pcm)
                    self._heard(pcm)
                case Key(digit):
                    self._tell(KeyPressed(digit))
                case Played(mark):
                    utterance, _, piece = mark.partition(".")
                    self._tell(PiecePlayed(int(utterance), int(piece)))
                case Held(on):
                    self._tell(OnHold(on))
                case Ended():
                    return

    def _heard(self, pcm: bytes) -> None:
        """Ears that fail are not used again; the call goes on by keys."""
        if self._ears_broke:
            return
        try:
            change = self._detector.feed(pcm)
            self._record(pcm, begins=isinstance(change, VoiceStarted))
            if change is not None:
                self._tell(change)
            self._ears.feed(pcm)
        except Exception as error:
            log.error("hearing failed line=%s kind=%s", self._call.info.line, type(error).__name__)
            self._ears_broke = True
            self._tell(StageBroke("hearing"))

    def _record(self, pcm: bytes, *, begins: bool) -> None:
        """Sound is kept while digits are to be said aloud, and at no other time."""
        if self._loop.expect is not Expect.SPOKEN:
            self._recording.drop()
            return
        if begins:
            self._recording.voice()
        self._recording.feed(pcm)

    async def _follow_news(self) -> None:
        """For as long as the call lasts: who is not told of an agent, or of money that came, waits in vain."""
        while True:
            try:
                async for event in self._assistant.news():
                    self._tell(event)
                return
            except Exception as error:
                log.error("following news failed line=%s kind=%s", self._call.info.line, type(error).__name__)
            await self._timer.wait_until(self._timer.now_s() + NEWS_AGAIN_S)

    async def _do(self, action: Action) -> None:
        match action:
            case Say():
                self._hush()
                self._speaking = asyncio.create_task(self._say(action))
            case StopSound():
                self._hush()
                self._call.clear()
            case TakeFinal():
                self._recording.ended()
                self._ears.take_final()
            case DropHeard():
                self._recording.drop()
                self._ears.drop()
            case Ask():
                heard = self._recording.take()
                self._spawn(self._ask(replace(action, pcm=heard) if action.aloud else action))
            case Rate(score):
                self._spawn(self._rate(score))
            case Bridge(on):
                if self._bridge is not None:
                    self._bridge.put(on)
            case HoldTone():
                self._call.say(HOLD_TONE)
            case BusyTone():
                self._hush()
                self._call.clear()
                self._call.say(BUSY_TONE)
                await self._timer.wait_until(self._timer.now_s() + BUSY_TONE_S)
            case HangUp():
                await self._timer.wait_until(self._timer.now_s() + GOODBYE_WAIT_S)
                await self._call.hang_up()

    async def _say(self, action: Say) -> None:
        try:
            for number, text in enumerate(action.pieces, start=action.first):
                async for pcm in self._speaker.speak(text, action.rate):
                    if self._watch is not None:
                        self._watch.sound(self._timer.now_s())
                    self._call.say(pcm)
                self._call.mark(f"{action.utterance}.{number}")
        except Exception as error:
            code = error.code if isinstance(error, StageFailed) else type(error).__name__
            log.error("speaking failed code=%s line=%s", code, self._call.info.line)
            self._tell(StageBroke("speaking"))

    async def _ask(self, ask: Ask) -> None:
        try:
            self._tell(await self._assistant.ask(ask))
        except Exception as error:  # its words may quote the caller: only the kind is logged
            log.error("turn failed kind=%s line=%s", type(error).__name__, self._call.info.line)
            self._tell(TurnBroke(ask.turn))

    async def _rate(self, score: int) -> None:
        try:
            await self._assistant.rate(score)
        except Exception as error:  # they have been thanked: nothing is said about it
            log.error("rating failed kind=%s line=%s", type(error).__name__, self._call.info.line)

    def _hush(self) -> None:
        if self._speaking is not None:
            self._speaking.cancel()
            self._speaking = None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
