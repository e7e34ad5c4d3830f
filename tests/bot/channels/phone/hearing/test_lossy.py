"""What is left of a word on a bad network: packets lost and late, concealed and put in order, then heard."""

from __future__ import annotations

import struct

import pytest

from banking_core.clock import SystemClock
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.audio import FRAME_BYTES, SILENCE, codec
from bot.channels.phone.hearing.grammars import closed
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.hearing.recogniser import Decoder
from bot.channels.phone.hearing.spelling import Spelling
from bot.channels.phone.sip.media import agree, open_rtp, our_offer
from bot.channels.phone.speaking.espeak import synthesise
from tests.bot.channels.phone.jitter import arrivals

COMMANDS = ("查余额", "转人工", "确认", "取消", "挂失", "充话费", "查明细", "重新输入", "[unk]")
HERE = ("127.0.0.1", 0)


async def over_the_network(pcm: bytes, *, jitter_ms: float, lost: float, seed: int) -> bytes:
    """Sound as the call gets it."""
    heard: list[bytes] = []
    agreed = agree(our_offer("127.0.0.1", 4000), "127.0.0.1", 4002)
    door = Doorkeeper(SystemClock(), LineLimits())
    session = await open_rtp(agreed, HERE, door, heard.append, lambda _: None)
    way = codec("PCMA")
    try:
        frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]
        for arrival in arrivals(len(frames), jitter_ms=jitter_ms, lost=lost, seed=seed):
            sound = way.encode(frames[arrival.number].ljust(FRAME_BYTES, b"\0"))
            head = struct.pack("!BBHII", 0x80, 8, arrival.number + 1, 160 * arrival.number, 7)
            session._handle_rtp(head + sound, HERE)
    finally:
        await session.close()
    return b"".join(heard)


async def understood(*, jitter_ms: float, lost: float) -> int:
    """How many of the commands are heard rightly, three networks each."""
    loaded = load()
    decoder = Decoder(loaded, Spelling(loaded.knows))
    decoder.use(closed(COMMANDS))
    right = 0
    for seed, command in ((seed, command) for seed in range(3) for command in COMMANDS[:-1]):
        said = SILENCE * 15 + synthesise(command, 0.9) + SILENCE * 25
        pcm = await over_the_network(said, jitter_ms=jitter_ms, lost=lost, seed=seed)
        for at in range(0, len(pcm), 1600):
            decoder.feed(pcm[at : at + 1600])
        right += decoder.finish().text == command
    return right


@pytest.mark.parametrize(
    ("jitter_ms", "lost", "right_min"),
    [(0, 0.0, 23), (20, 0.01, 23), (60, 0.03, 22), (100, 0.05, 22), (100, 0.10, 20)],
)
async def test_commands_are_heard_over_a_bad_network(jitter_ms: float, lost: float, right_min: int) -> None:
    """Of 24 each."""
    assert await understood(jitter_ms=jitter_ms, lost=lost) >= right_min
