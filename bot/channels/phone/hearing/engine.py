"""The ears of all calls of a process."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

from bot.channels.phone.audio import SILENCE
from bot.channels.phone.hearing.grammars import Grammar, grammar
from bot.channels.phone.hearing.loading import BUNDLED, Loaded, load
from bot.channels.phone.hearing.recogniser import CHUNK_BYTES, Decoder, Worker
from bot.channels.phone.hearing.spelling import Spelling
from bot.channels.phone.hearing.voice import WebRtcDetector
from bot.channels.phone.loop import Expect, Partial, StageBroke, VoiceStopped
from bot.channels.phone.loop import Final as Heard
from bot.channels.phone.ports import Heard as Told

# What the model needs to hear after a word to be sure of it is given to it as soon as the voice has stopped, and
# not waited for. To who goes on it is a longer pause.
AHEAD: Final = SILENCE * 15
BEFORE_FRAMES: Final = 20  # 0.4 s: a sentence begins before the detector is sure of it


class VoskHearing:
    """A `Hearing`. `free_speech` is for a model that knows the whole language; the bundled one needs grammars."""

    def __init__(
        self, model: str = BUNDLED, *, free_speech: bool = False, threads: int | None = None
    ) -> None:
        self._which, self._free = model, free_speech
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._executor: Executor | None = None
        self._spelling: Spelling | None = None

    def detector(self) -> WebRtcDetector:
        """For one call."""
        return WebRtcDetector()

    def recogniser(self, tell: Callable[[Told], None]) -> VoskRecogniser:
        """For one call, to be made and told in the event loop that runs now. Raises HearingFailed."""
        loaded = load(self._which)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="hearing")
        self._spelling = self._spelling or Spelling(loaded.knows)
        loop = asyncio.get_running_loop()

        def in_loop(heard: Told) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, heard)

        return VoskRecogniser(loaded, self._spelling, self._executor, in_loop, free_speech=self._free)

    async def close(self) -> None:
        """Waits for the work under way."""
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)


class VoskRecogniser:
    """A `Recogniser` for one call. Silence between sentences is not decoded: what was not said cannot be misheard."""

    def __init__(
        self,
        loaded: Loaded,
        spelling: Spelling,
        executor: Executor,
        tell: Callable[[Told], None],
        *,
        free_speech: bool,
    ) -> None:
        self._decoder = Decoder(loaded, spelling)
        self._worker = Worker(executor, lambda: self._say(StageBroke("hearing")))
        self._tell, self._free = tell, free_speech
        self._gate = WebRtcDetector()
        self._before: deque[bytes] = deque(maxlen=BEFORE_FRAMES)
        self._waiting = bytearray()
        self._within = self._closed = False
        self._sentence = 0
        self._last = ""
        self._expected: tuple[Expect, tuple[str, ...]] | None = None
        self.expect(Expect.WORDS, ())

    def expect(self, expect: Expect, phrases: tuple[str, ...]) -> None:
        """From the next sentence on. Costs nothing when it is what it was."""
        if self._expected != (expect, phrases):
            self._expected = (expect, phrases)
            self._worker.do(lambda: self._decoder.use(self._grammar(expect, phrases)))

    def _grammar(self, expect: Expect, phrases: tuple[str, ...]) -> Grammar | None:
        return None if self._free and expect is Expect.WORDS else grammar(expect, phrases)

    def feed(self, frame: bytes) -> None:
        """20 ms of sound."""
        stopped = isinstance(self._gate.feed(frame), VoiceStopped)
        if not self._within:
            self._before.append(frame)
            if not self._gate.speaking:
                return
            self._within = True
            self._waiting += b"".join(self._before)
            self._before.clear()
        else:
            self._waiting += frame
        if stopped:
            self._waiting += AHEAD
        if stopped or len(self._waiting) >= CHUNK_BYTES:
            self._pass_on()

    def take_final(self) -> None:
        """One `Final` follows."""
        self._pass_on()
        self._over()
        self._worker.do(self._finish)

    def _finish(self) -> None:
        understood = self._decoder.finish()
        self._say(Heard(understood.text, understood.by_ear))

    def drop(self) -> None:
        """No `Final` follows, and nothing partial either."""
        self._over()
        self._worker.do(self._decoder.drop)

    def close(self) -> None:
        """Nothing is told any more."""
        self._closed = True
        self._worker.close()

    def _pass_on(self) -> None:
        if not self._waiting:
            return
        pcm, sentence = bytes(self._waiting), self._sentence
        self._waiting.clear()
        self._worker.do(lambda: self._hear(pcm, sentence))

    def _hear(self, pcm: bytes, sentence: int) -> None:
        self._decoder.feed(pcm)
        if sentence != self._sentence:  # over meanwhile: a partial would come too late
            return
        text = self._decoder.partial()
        if text and text != self._last:
            self._last = text
            self._say(Partial(text))

    def _over(self) -> None:
        self._sentence += 1
        self._waiting.clear()
        self._before.clear()
        self._within = False
        self._last = ""

    def _say(self, heard: Told) -> None:
        if not self._closed:
            self._tell(heard)
