"""The conversation behind a call: what the caller says goes to the hub, what the hub says is made fit to be heard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Protocol

from banking_core.identity import Origin
from banking_core.money_text import mask_name
from banking_core.voiceprints import SpokenPassword
from bot.channels.phone.call import CallInfo
from bot.channels.phone.expecting import expected, reads_back
from bot.channels.phone.loop import Announced, Ask, Expect, OwnerChanged, Prompted, Replied
from bot.channels.phone.loop.manner import MENU
from bot.channels.phone.ports import News, VoiceExaminer
from bot.channels.phone.readback import masked_payee, read_back
from bot.channels.phone.spoken import spoken_pieces
from bot.channels.phone.timing import Timer
from bot.conversation.events import EventBus
from bot.conversation.views import (
    TEXT_LENGTH_MAX,
    ConversationStatus,
    Inbound,
    MessageView,
    Received,
    Standing,
)
from bot.dialogue.reading.speech import digits_to_spoken

log = logging.getLogger(__name__)

CHANNEL: Final = "phone"
DEVICE_NAME: Final = "电话"
LOOK_EVERY_S: Final = 3.0  # what other processes write is found by looking
NEWS_PAGE: Final = 50
NOT_READ_OUT: Final = ("这会儿念不出数字，请说“用验证码”。",)

Vocabulary = Callable[[str], Awaitable[tuple[str, ...]]]
# (customer, conversation) -> the full name of whom the order read back pays, if they are in the customer's own book.
PayeeName = Callable[[str, str], Awaitable[str]]


class Counter(Protocol):
    """What is asked of the hub."""

    @property
    def events(self) -> EventBus:
        """Live events."""
        ...

    async def open(self, channel: str, *, customer_id: str | None = None, on_call: bool = False) -> str:
        """Begins a conversation, of a call; returns its id."""
        ...

    async def receive(self, inbound: Inbound) -> Received:
        """One message."""
        ...

    async def history(self, conversation_id: str, after_seq: int, limit: int) -> list[dict[str, Any]]:
        """Messages after `after_seq`."""
        ...

    async def status(self, conversation_id: str) -> ConversationStatus:
        """Who owns it and what it expects."""
        ...

    async def spoken_password(self, conversation_id: str, *, former: bool = False) -> SpokenPassword | None:
        """The digits to be said now; with `former` what was said before, too."""
        ...

    async def voice_gone(self, conversation_id: str) -> None:
        """The customer is there, but cannot be heard any more."""
        ...

    async def rate(self, conversation_id: str, score: int, comment: str) -> bool:
        """What the customer thought of the service that has ended."""
        ...

    async def hung_up(self, conversation_id: str) -> None:
        """The caller has left."""
        ...


async def _no_words(_customer_id: str) -> tuple[str, ...]:
    return ()


async def _no_name(_customer_id: str, _conversation_id: str) -> str:
    return ""


class HubAssistant:
    """An `Assistant`. The conversation begins with the caller's first word: who says nothing leaves nothing.

    `vocabulary` knows the names a customer is likely to say, `payee` whom they are about to pay, `examiner` what digits
    said aloud are worth.
    """

    def __init__(
        self,
        hub: Counter,
        info: CallInfo,
        timer: Timer,
        *,
        vocabulary: Vocabulary = _no_words,
        payee: PayeeName = _no_name,
        examiner: VoiceExaminer | None = None,
    ) -> None:
        self._hub, self._timer, self._vocabulary, self._payee = hub, timer, vocabulary, payee
        self._examiner = examiner
        self._origin = Origin(
            channel=CHANNEL, device_name=DEVICE_NAME, caller=info.caller, on_call=examiner is not None
        )
        self._speaking = asyncio.Lock()  # held from a question until its answers are known to be answers
        self._opened = asyncio.Event()
        self.conversation_id = ""
        self._seen_seq = 0
        self._answers: set[int] = set()
        self._owner = "bot"
        self._ahead: int | None = None

    async def ask(self, ask: Ask) -> Replied:
        """One turn."""
        async with self._speaking:
            await self._open()
            received = await self._hub.receive(await self._inbound(ask))
            # From here on the bank may have acted: what is still asked of it must not cost the caller the answer.
            self._answers |= {reply.seq for reply in received.replies}
            self._owner = received.standing.owner
            replied = await self._replied(ask.turn, received.replies, received.standing)
            parse_ms = received.timings_ms.get("parse", 0.0) if received.intent else 0.0
            return replace(replied, parse_s=parse_ms / 1000)

    async def _inbound(self, ask: Ask) -> Inbound:
        text = ask.text[:TEXT_LENGTH_MAX]
        inbound = Inbound(
            self.conversation_id,
            self._message_id(ask.turn),
            text,
            ask.secret,
            self._origin,
            by_ear=ask.by_ear,
        )
        if not ask.aloud or self._examiner is None:
            return inbound
        password = await self._hub.spoken_password(self.conversation_id, former=True)
        if password is None:
            return inbound
        return replace(inbound, text="", voice=await self._examiner.examine(ask.pcm, password))

    async def _replied(self, turn: int, replies: list[MessageView], standing: Standing) -> Replied:
        """Never fails: a reply without what belongs to it is worth more than none."""
        names, payee = await self._names(standing.customer_id), await self._payee_of(replies, standing)
        replied = _replied(turn, replies, standing, names, payee)
        if replied.expect is not Expect.SPOKEN:
            return replied
        try:
            digits = _read_out(await self._hub.spoken_password(self.conversation_id))
        except Exception as error:
            log.error("reading out digits failed kind=%s", type(error).__name__)
            digits = NOT_READ_OUT
        return replace(replied, pieces=(*replied.pieces, *digits))

    async def _names(self, customer_id: str | None) -> tuple[str, ...]:
        """Names to listen for; without them the caller is heard all the same."""
        if customer_id is None:
            return ()
        try:
            return await self._vocabulary(customer_id)
        except Exception as error:
            log.error("looking for names failed kind=%s", type(error).__name__)
            return ()

    async def _payee_of(self, replies: list[MessageView], standing: Standing) -> str:
        """The name that a read-back among the replies may say in full; without it the masked one is said."""
        if standing.customer_id is None or not any(_is_readback(reply) for reply in replies):
            return ""
        try:
            return await self._payee(standing.customer_id, self.conversation_id)
        except Exception as error:
            log.error("looking for a payee failed kind=%s", type(error).__name__)
            return ""

    def _message_id(self, turn: int) -> str:
        """Of a turn, for the hub."""
        return f"turn-{turn}"

    async def news(self) -> AsyncIterator[News]:
        """Settlements, agents, notices: whatever is in the log and was no answer."""
        await self._opened.wait()
        async with self._hub.events.subscribe(self.conversation_id) as events:
            while True:
                for event in await self._look():
                    yield event
                await self._next_look(events)

    async def rate(self, score: int) -> None:
        """What the caller thought of the agent's service; of no effect when there is none to rate."""
        await self._hub.rate(self.conversation_id, score, "")

    async def hung_up(self) -> None:
        """The call is over."""
        async with self._speaking:
            if self.conversation_id:
                await self._hub.hung_up(self.conversation_id)

    async def _open(self) -> None:
        if not self.conversation_id:
            self.conversation_id = await self._hub.open(CHANNEL, on_call=True)
            self._opened.set()

    async def _next_look(self, events: asyncio.Queue[Any]) -> None:
        """An event, or the time to look anyway."""
        waits = (
            asyncio.create_task(events.get()),
            asyncio.create_task(_wait(self._timer, self._timer.now_s() + LOOK_EVERY_S)),
        )
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _look(self) -> list[News]:
        """Reads the log to the end even when the call ends meanwhile: a query is not broken off."""
        return await asyncio.shield(asyncio.create_task(self._read_if_possible()))

    async def _read_if_possible(self) -> list[News]:
        try:
            return await self._read()
        except Exception as error:  # a look that fails is made up for by the next one
            log.error("looking for news failed kind=%s", type(error).__name__)
            return []

    async def _read(self) -> list[News]:
        async with self._speaking:
            messages = await self._hub.history(self.conversation_id, self._seen_seq, NEWS_PAGE)
            status = await self._hub.status(self.conversation_id)
            found = await self._found(messages, status)
            ahead = status.queue_position - 1 if status.queue_position else None
            if (status.owner, ahead) != (self._owner, self._ahead):
                self._owner, self._ahead = status.owner, ahead
                changed = OwnerChanged(status.owner, ahead, status.can_rate)
                # Whoever takes over cuts off what was being said, not what they say; a goodbye comes last.
                found = [*found, changed] if status.owner == "closed" else [changed, *found]
            return found

    async def _found(self, messages: list[dict[str, Any]], status: ConversationStatus) -> list[News]:
        """What these messages of the log have to be told the caller."""
        unasked: list[MessageView] = []
        for message in messages:
            self._seen_seq = message["seq"]
            if message["sender"] != "customer" and message["seq"] not in self._answers:
                unasked.append(MessageView(**message))
            self._answers.discard(message["seq"])
        back = status.owner == "bot" and self._owner in ("queue", "agent")
        if not unasked or not (unasked[-1].choices or (back and unasked[-1].sender == "bot")):
            return [Announced(spoken_pieces(message.text)) for message in unasked]
        # It wants an answer, or the assistant takes the word again: keys and grammar follow what is said last.
        return [Prompted(await self._replied(0, unasked, status.standing))]


async def _wait(timer: Timer, at_s: float) -> None:
    await timer.wait_until(at_s)


def _is_readback(reply: MessageView) -> bool:
    return reply.card is not None and reply.card["kind"] == "readback"


def _said(reply: MessageView, payee: str) -> str:
    """A reply's text, made for the ear."""
    if reply.card is None or not _is_readback(reply):
        return reply.text
    return read_back(reply.card, reply.text, payee if _fits(masked_payee(reply.card), payee) else "")


def _fits(masked: str, name: str) -> bool:
    return bool(name) and mask_name(name) == masked


def _replied(
    turn: int, replies: list[MessageView], standing: Standing, phrases: tuple[str, ...], payee: str = ""
) -> Replied:
    cards = {reply.card["kind"] for reply in replies if reply.card is not None}
    choices = tuple(choice["say"] for choice in replies[-1].choices) if replies else ()
    expect = expected(standing.expects, cards, choices)
    pieces = tuple(piece for reply in replies for piece in spoken_pieces(_said(reply, payee)))
    readback = reads_back(cards, choices)
    if not choices and standing.owner == "bot" and expect is Expect.WORDS and not standing.under_way:
        choices = MENU  # nothing was asked: the keys are what they were at the beginning
    return Replied(
        turn,
        pieces,
        expect,
        choices,
        phrases,
        readback=readback,
        keep="receipt" in cards,
        owner=standing.owner,
    )


def _read_out(password: SpokenPassword | None) -> tuple[str, ...]:
    """The digits in two groups of four, as one piece: they are said from the beginning or not at all."""
    if password is None:
        return ()
    half = len(password.digits) // 2
    first, second = (digits_to_spoken(part) for part in (password.digits[:half], password.digits[half:]))
    return (f"{first}，{second}。",)
