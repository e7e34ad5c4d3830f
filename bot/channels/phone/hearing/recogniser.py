"""Hears one call with Vosk, in a worker thread; everything a call asks for is done in the order it was asked."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final

from bot.channels.phone.audio import SAMPLE_RATE_HZ
from bot.channels.phone.hearing.choosing import Hypothesis, Understood, choose, whole
from bot.channels.phone.hearing.grammars import Grammar
from bot.channels.phone.hearing.loading import Loaded
from bot.channels.phone.hearing.spelling import Spelling, joined
from bot.channels.phone.resampling import Resampler

log = logging.getLogger(__name__)

ALTERNATIVES: Final = 16
CHUNK_BYTES: Final = 5 * 320  # 0.1 s at 8 kHz: how often a partial result can change


class Decoder:
    """One sentence after another, in one thread. `grammar` None is free speech."""

    def __init__(self, loaded: Loaded, spelling: Spelling) -> None:
        self._loaded, self._spelling = loaded, spelling
        self._grammar: Grammar | None = None
        self._recogniser: Any = None
        self._made_for: Grammar | None = None
        self._resampler = Resampler(SAMPLE_RATE_HZ, loaded.rate_hz)
        self._ended: list[list[Hypothesis]] = []
        self._fed = False

    def use(self, grammar: Grammar | None) -> None:
        """From the next sentence on."""
        self._grammar = grammar

    def feed(self, pcm: bytes) -> None:
        """PCM at 8 kHz."""
        if not self._fed:
            self._begin()
        if self._recogniser.AcceptWaveform(self._resampler.feed(pcm)):
            # The model's own endpointing: what it heard is kept until the call loop ends the sentence.
            self._ended.append(_hypotheses(self._recogniser.Result()))

    def partial(self) -> str:
        """What was understood so far, with nothing that may not be said here."""
        if not self._fed:
            return ""
        words = tuple(json.loads(self._recogniser.PartialResult()).get("partial", "").split())
        before = [word for part in self._ended if part for word in part[0].words]
        return joined((*before, *words))

    def finish(self) -> Understood:
        """The sentence is over."""
        return choose(whole(self.parts()), self._made_for)

    def parts(self) -> list[list[Hypothesis]]:
        """The sentence is over: its pieces between which the model saw an end, each with all that it may have been,
        likeliest first, allowed here or not."""
        if not self._fed:
            return []
        parts = [*self._ended, _hypotheses(self._recogniser.FinalResult())]
        self.drop()
        return [part for part in parts if part]

    def drop(self) -> None:
        """Forgets the sentence under way."""
        if self._fed:
            self._recogniser.Reset()
        self._resampler.reset()
        self._ended, self._fed = [], False

    def _begin(self) -> None:
        self._fed = True
        if self._recogniser is not None and self._made_for is self._grammar:
            return
        from vosk import KaldiRecognizer

        self._made_for = self._grammar
        rate = float(self._loaded.rate_hz)
        if self._grammar is None:
            self._recogniser = KaldiRecognizer(self._loaded.model, rate)
        else:
            self._recogniser = KaldiRecognizer(self._loaded.model, rate, self._spelled(self._grammar))
        self._recogniser.SetMaxAlternatives(ALTERNATIVES)

    def _spelled(self, grammar: Grammar) -> str:
        spelt = (self._spelling.words(line) for line in grammar.lines)
        lines = [" ".join(words) for words in spelt if words]
        return json.dumps(lines, ensure_ascii=False)


def _hypotheses(result: str) -> list[Hypothesis]:
    """Of a result with alternatives; empty when nothing was said."""
    found = []
    for one in json.loads(result).get("alternatives", ()):
        words = tuple(str(one.get("text", "")).split())
        if words:
            found.append(Hypothesis(words, float(one.get("confidence", 0.0))))
    return found


Told = Callable[[str, Understood], None]


class Worker:
    """Runs a call's jobs one after another on threads shared by all calls."""

    def __init__(self, executor: Executor, broke: Callable[[], None]) -> None:
        self._executor, self._broke = executor, broke
        self._jobs: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._running = self._closed = False

    def do(self, job: Callable[[], None]) -> None:
        """Returns at once."""
        with self._lock:
            if self._closed:
                return
            self._jobs.append(job)
            if self._running:
                return
            self._running = True
        try:
            self._executor.submit(self._drain)
        except RuntimeError:  # the process is going down
            self._running = False

    def close(self) -> None:
        """What is waiting is not done any more."""
        with self._lock:
            self._closed = True
            self._jobs.clear()

    def _drain(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._running = False
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception as error:  # its words may hold what was said: only the kind is logged
                log.error("hearing failed kind=%s", type(error).__name__)
                self.close()
                self._broke()
