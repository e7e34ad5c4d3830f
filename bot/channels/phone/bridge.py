"""The sound between a caller and the agent who has the call, and where the desk finds it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bot.channels.phone.audio import SAMPLE_RATE_HZ
from bot.channels.phone.call import Call

HEARD_FRAMES_MAX: Final = 50  # a second: an agent's page that is slower loses the oldest
SAID_MS_MAX: Final = 300  # what an agent says waits no longer; a page's clock may run faster than ours
PIECE_BYTES_MAX: Final = SAMPLE_RATE_HZ * 2  # a second at once is no microphone


class AgentSound:
    """An agent's end: what the caller says, and what is said to them. Ends when the bridge is taken down."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._frames: deque[bytes] = deque(maxlen=HEARD_FRAMES_MAX)
        self._more = asyncio.Event()
        self._over = False
        self.on = False

    async def listen(self) -> AsyncIterator[bytes]:
        """The caller, 20 ms at a time, PCM as in `audio`."""
        while not self._over:
            while self._frames:
                yield self._frames.popleft()
            self._more.clear()
            await self._more.wait()

    def say(self, pcm: bytes) -> None:
        """The agent, in pieces of any length; what comes too fast or too early is not said."""
        if self.on and not self._over and len(pcm) <= PIECE_BYTES_MAX and self._call.waiting_ms < SAID_MS_MAX:
            self._call.say(pcm)

    def hear(self, pcm: bytes) -> None:
        """20 ms of the caller."""
        self._frames.append(pcm)
        self._more.set()

    def end(self) -> None:
        """Nothing more is heard or said."""
        self._over = True
        self._more.set()


class Bridge:
    """One call's side. `told` hears when an agent begins or ceases to listen."""

    def __init__(self, call: Call, conversation: Callable[[], str]) -> None:
        self._call, self._conversation = call, conversation
        self._agent: AgentSound | None = None
        self.told: Callable[[bool], None] = lambda _: None

    @property
    def conversation_id(self) -> str:
        """Which conversation the call is, "" before the caller has said anything."""
        return self._conversation()

    def caller_says(self, pcm: bytes) -> None:
        """20 ms of the caller, heard while the bridge is up."""
        if self._agent is not None and self._agent.on:
            self._agent.hear(pcm)

    def put(self, on: bool) -> None:
        """Up when the agent has been announced; taken down, the agent's sound ends."""
        if self._agent is None:
            return
        self._agent.on = on
        if not on:
            self._agent.end()
            self._agent = None

    def end(self) -> None:
        """The call is over."""
        self.put(False)

    @contextmanager
    def joined(self) -> Iterator[AgentSound]:
        """An agent's sound; a later one takes the place of an earlier one."""
        if self._agent is not None:
            self._agent.end()
        mine = self._agent = AgentSound(self._call)
        self.told(True)
        try:
            yield mine
        finally:
            mine.end()
            if self._agent is mine:
                self._agent = None
                self.told(False)


class Bridges:
    """The calls of this process, as the desk finds them."""

    def __init__(self) -> None:
        self._bridges: set[Bridge] = set()

    @contextmanager
    def open(self, bridge: Bridge) -> Iterator[Bridge]:
        """For as long as the call lasts."""
        self._bridges.add(bridge)
        try:
            yield bridge
        finally:
            self._bridges.discard(bridge)
            bridge.end()

    def on(self, conversation_id: str) -> bool:
        """Whether this conversation has a call in this process."""
        return self._find(conversation_id) is not None

    def _find(self, conversation_id: str) -> Bridge | None:
        found = (each for each in self._bridges if each.conversation_id == conversation_id)
        return next(found, None) if conversation_id else None

    @contextmanager
    def join(self, conversation_id: str) -> Iterator[AgentSound | None]:
        """The sound of this conversation's call; None when it has none in this process."""
        found = self._find(conversation_id)
        if found is None:
            yield None
            return
        with found.joined() as sound:
            yield sound
