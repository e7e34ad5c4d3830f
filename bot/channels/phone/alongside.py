"""The assistant of a call from the chat page. It goes on with the page's own conversation: who has logged in there
is logged in here, what is said stands in the chat with its cards, and what is written meanwhile is answered aloud.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from banking_core.identity import Origin
from bot.channels.phone.assistant import Counter, HubAssistant, PayeeName, Vocabulary
from bot.channels.phone.call import CallInfo
from bot.channels.phone.errors import VisitorGone
from bot.channels.phone.loop import Ask, Expect, Replied, WrittenAnswer
from bot.channels.phone.ports import News, VoiceExaminer
from bot.channels.phone.timing import Timer
from bot.conversation.views import ConversationStatus, MessageView, Standing

ON_SCREEN: Final = "密码请在屏幕上输入。"  # it has letters, and is not for others' ears


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose page calls. `caller` is whom the limits count; `present` says whether the session is still good."""

    conversation_id: str
    origin: Origin
    caller: str
    present: Callable[[], Awaitable[bool]]


class PageAssistant(HubAssistant):
    """An `Assistant` in a conversation that was there before the call and goes on after it."""

    def __init__(
        self,
        hub: Counter,
        info: CallInfo,
        timer: Timer,
        visitor: Visitor,
        *,
        vocabulary: Vocabulary,
        payee: PayeeName,
        examiner: VoiceExaminer | None = None,
    ) -> None:
        super().__init__(hub, info, timer, vocabulary=vocabulary, payee=payee, examiner=examiner)
        self._origin, self._present = replace(visitor.origin, on_call=examiner is not None), visitor.present
        self._turns_of = info.line_call_id
        self.conversation_id = visitor.conversation_id

    async def ask(self, ask: Ask) -> Replied:
        """One turn. Raises VisitorGone when the page's session has ended."""
        if not await self._present():
            raise VisitorGone
        return await super().ask(ask)

    async def news(self) -> AsyncIterator[News]:
        """First what is expected already, when the page was asked something."""
        # Even when the call ends meanwhile: a query is not broken off.
        pending = await asyncio.shield(asyncio.create_task(self._begin_alone()))
        if pending is not None:
            yield pending
        async for event in super().news():
            yield event

    async def hung_up(self) -> None:
        """The customer is still there, at the page; only what needs a voice ends, and an agent must know."""
        async with self._speaking:
            if self._opened.is_set():
                await self._hub.voice_gone(self.conversation_id)
        self._tell_agent()

    def _tell_agent(self) -> None:
        """That the call has begun or ended: there is a sound to be heard, or no more."""
        self._hub.events.publish(self.conversation_id, {"type": "state"})

    async def _open(self) -> None:
        await self._begin()

    async def _begin_alone(self) -> Replied | None:
        async with self._speaking:
            return await self._begin()

    async def _begin(self) -> Replied | None:
        """Passes over what has been said; whoever owns the conversation is news, except that it is closed."""
        if self._opened.is_set():
            return None
        newest = await self._hub.history(self.conversation_id, 0, 1)
        status = await self._hub.status(self.conversation_id)
        self._seen_seq = newest[-1]["seq"] if newest else 0
        self._owner = "closed" if status.owner == "closed" else "bot"
        self._opened.set()
        self._tell_agent()
        asked = [MessageView(**message) for message in newest if message["sender"] == "bot"]
        if status.owner != "bot" or not asked:
            return None
        pending = await self._replied(0, asked, status.standing)
        return replace(pending, pieces=(), readback=False)

    async def _found(self, messages: list[dict[str, Any]], status: ConversationStatus) -> list[News]:
        written = next((at for at, message in enumerate(messages) if self._was_written(message)), None)
        if written is None:
            return await super()._found(messages, status)
        answers = [MessageView(**m) for m in messages[written:] if self._answers_page(m)]
        said = {answer.seq for answer in answers}
        found = await super()._found([m for m in messages if m["seq"] not in said], status)
        self._seen_seq = max(self._seen_seq, messages[-1]["seq"])
        if answers:
            found.append(WrittenAnswer(await self._replied(0, answers, status.standing)))
        return found

    def _was_written(self, message: dict[str, Any]) -> bool:
        ours = str(message["client_id"] or "").startswith(f"{self._turns_of}-")
        return message["sender"] == "customer" and not ours

    def _answers_page(self, message: dict[str, Any]) -> bool:
        return message["sender"] == "bot" and message["seq"] not in self._answers

    async def _replied(self, turn: int, replies: list[MessageView], standing: Standing) -> Replied:
        replied = await super()._replied(turn, replies, standing)
        if replied.expect is not Expect.PASSWORD:
            return replied
        return replace(replied, expect=Expect.WORDS, pieces=(*replied.pieces, ON_SCREEN))

    def _message_id(self, turn: int) -> str:
        return f"{self._turns_of}-{turn}"
