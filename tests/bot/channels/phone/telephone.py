"""A caller in front of the whole product: what they say goes through loop, hub and bank, what is said is kept as text.

Ears and voice are stand-ins; time of the line stands still while the bank works, and moves when a test says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from prometheus_client import CollectorRegistry

from bot.assembly import Product
from bot.channels.phone.assistant import HubAssistant
from bot.channels.phone.audio import SILENCE
from bot.channels.phone.call import CallInfo, EndReason
from bot.channels.phone.loop import Ask, Expect, Final, Partial, Replied, VoiceStarted, VoiceStopped
from bot.channels.phone.ports import Heard, Hearing, VoiceExaminer
from bot.dialogue.by_ear import ByEar
from bot.dialogue.understanding import Understanding
from bot.running.phone import switchboard
from tests.bot.channels.phone.manual import ManualTimer, TapeCall, settle, tone

VOICE = tone(1, value=1000)
PIECE_FRAMES = 5
INTENTS = {
    "取消声纹": "voiceprint_cancel",
    "声纹": "voiceprint_enroll",
    "余额": "account_balance",
    "转": "transfer_make",
    "登录": "identity_login",
    "投诉": "service_human",
}


class Hears:
    """An NLU service that knows a few words, and remembers everything that came to its ears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def understand(self, text: str) -> Understanding:
        self.heard.append(text)
        intent = next((intent for word, intent in INTENTS.items() if word in text), "nlu_fallback")
        return Understanding(text, intent, 0.95, ranking=((intent, 0.95),))


class _Detector:
    """Voice is any frame that is not silent."""

    def __init__(self) -> None:
        self.voice = False

    def feed(self, frame: bytes) -> VoiceStarted | VoiceStopped | None:
        was, self.voice = self.voice, frame != SILENCE
        if self.voice is was:
            return None
        return VoiceStarted() if self.voice else VoiceStopped()


class Ears:
    """Hears whatever the test has put on the caller's tongue; a `Hearing` of one call and its `Recogniser`."""

    def __init__(self) -> None:
        self.words, self.expected, self.phrases = "", Expect.WORDS, ()
        self.by_ear: ByEar | None = None
        self.tell: Callable[[Heard], None] = lambda _: None

    def detector(self) -> _Detector:
        return _Detector()

    def recogniser(self, tell: Callable[[Heard], None]) -> Ears:
        self.tell = tell
        return self

    def expect(self, expect: Expect, phrases: tuple[str, ...]) -> None:
        self.expected, self.phrases = expect, phrases

    def feed(self, frame: bytes) -> None:
        if frame != SILENCE and self.words:
            self.tell(Partial(self.words))

    def take_final(self) -> None:
        said, by_ear = self.words, self.by_ear
        self.words, self.by_ear = "", None
        self.tell(Final(said, by_ear))

    def drop(self) -> None:
        self.words = ""

    def close(self) -> None:  # type: ignore[override]
        return


class Voice:
    """Keeps what it is told to say; each piece is a tenth of a second."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun = asyncio.Event()

    async def speak(self, text: str, rate: float) -> AsyncIterator[bytes]:
        self.said.append(text)
        self.begun.set()
        yield tone(PIECE_FRAMES, value=len(self.said) % 1000 + 1)


class Telephone:
    """One call. `say` and `key` return what was said after it, as one text."""

    def __init__(
        self,
        product: Product,
        caller: str = "13800000004",
        hearing: Hearing | None = None,
        examiner: VoiceExaminer | None = None,
    ) -> None:
        self.timer, self.ears, self.voice = ManualTimer(), Ears(), Voice()
        self.product, self.assistant = product, None
        self.call = TapeCall(self.timer, caller=caller)
        counted = replace(product, metrics_registry=CollectorRegistry())  # each call counts by itself
        board = switchboard(counted, self.timer, hearing or self.ears, self.voice, examiner)  # type: ignore[arg-type]
        self.board = replace(board, assistant=self._patient)
        self.asked: list[Ask] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._names = board.assistant

    def _patient(self, info: CallInfo) -> HubAssistant:
        """The product's own assistant, watched: a test knows when the bank has answered."""
        made = self._names(info)
        assert isinstance(made, HubAssistant)
        ask = made.ask

        async def watched(question: Ask) -> Replied:
            self.asked.append(question)
            self._idle.clear()
            try:
                return await ask(question)
            finally:
                self._idle.set()

        made.ask = watched  # type: ignore[method-assign]
        self.assistant = made
        return made

    @property
    def conversation(self) -> str:
        assert self.assistant is not None
        return self.assistant.conversation_id

    async def rest(self, seconds: float = 2.0) -> None:
        """Time passes in which the bank answers and everything is said."""
        await settle()
        await self._idle.wait()
        await self.timer.advance(seconds)
        await self._idle.wait()
        await settle()

    async def say(
        self, words: str, *, seconds: float = 2.0, frames: int = 20, by_ear: ByEar | None = None
    ) -> str:
        """The caller speaks and listens."""
        before = len(self.voice.said)
        self.ears.words, self.ears.by_ear = words, by_ear
        for _ in range(frames):
            self.call.heard(VOICE)
            await self.timer.advance(0.02)
        self.call.heard(SILENCE)
        await self.timer.advance(1.3)
        await self.rest(seconds)
        return "".join(self.voice.said[before:])

    async def key(self, digits: str, *, seconds: float = 2.0) -> str:
        """The caller presses keys and listens."""
        before = len(self.voice.said)
        for digit in digits:
            self.call.keyed(digit)
            await self.timer.advance(0.2)
        await self.rest(seconds)
        return "".join(self.voice.said[before:])

    async def hears(self, words: str) -> None:
        """Time passes until these words have been said, even unasked."""
        end_s = self.timer.now_s() + 60.0
        while not any(words in piece for piece in self.voice.said):
            assert self.timer.now_s() < end_s, f"never said, but: {self.voice.said}"
            await self.timer.advance(1.0)
            if self.assistant is not None:
                async with self.assistant._speaking:  # a look at the log is a query that takes real time
                    pass
            await settle()

    async def log(self) -> str:
        """The conversation as it is kept."""
        lines = await self.product.hub.history(self.conversation, 0, 200)
        return "\n".join(f"{line['sender']}: {line['text']}" for line in lines)


@asynccontextmanager
async def calling(
    product: Product,
    caller: str = "13800000004",
    *,
    hearing: Hearing | None = None,
    examiner: VoiceExaminer | None = None,
) -> AsyncIterator[Telephone]:
    """A call that has been picked up and greeted."""
    phone = Telephone(product, caller, hearing, examiner)
    running = asyncio.create_task(phone.call.serve(phone.board.answer))
    async with asyncio.timeout(60):
        await phone.voice.begun.wait()
        await phone.rest()
        yield phone
        phone.call.ended(EndReason.CALLER)
        await running
