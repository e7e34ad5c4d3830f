"""The SIP line against a caller made of bare datagrams: INVITE to BYE, keys, hold, and what must be refused."""

from __future__ import annotations

import asyncio
import re
import struct
from contextlib import asynccontextmanager
from ipaddress import ip_network
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.audio import codec
from bot.channels.phone.call import Ended, EndReason, Key, Sound
from bot.channels.phone.sip.agent import info_digit
from tests.bot.channels.phone.datagrams import Wire, office
from tests.bot.channels.phone.manual import settle, tone


async def test_a_call_is_answered_heard_and_ended_by_the_caller():
    async with office() as line:
        phone = await line.caller()
        assert await phone.dial() == 200
        for number in range(1, 6):
            phone.say(codec("PCMU").encode(tone(1, value=1000)), number=number, timestamp=160 * number)
        await line.until(2)
        assert isinstance(line.seen[0], Sound)
        phone.request("BYE")
        assert await phone.status() == 200
        await line.ended.wait()
        assert line.seen[-1] == Ended(EndReason.CALLER)
        assert (line.calls[0].info.caller, line.calls[0].info.called) == ("13800000004", "95000")
        await settle()
        assert (
            line.door.calls == 0
            and line.line._agent.active_calls == {}
            and line.line._ports._allocated == set()
        )


@pytest.mark.parametrize(
    ("formats", "kind", "name"), [("0 8 96", 0, "PCMU"), ("8 0 96", 8, "PCMA"), ("18 8", 8, "PCMA")]
)
async def test_the_caller_hears_us_in_the_codec_it_prefers_and_can_speak(formats, kind, name):
    async with office() as line:
        phone = await line.caller()
        assert await phone.dial(formats=formats) == 200
        await settle()
        line.calls[0].say(tone(3, value=2000))
        await line.timer.advance(0.2)
        packets = [await phone.sound.got.get() for _ in range(8)]
        assert {packet[1] & 0x7F for packet in packets} == {kind}
        stamps = [struct.unpack("!I", packet[4:8])[0] for packet in packets]
        assert {b - a for a, b in pairwise(stamps)} == {160}
        loud = [packet for packet in packets if codec(name).decode(packet[12:])[:2] != b"\x00\x00"]
        assert any(
            abs(int.from_bytes(codec(name).decode(p[12:])[:2], "little", signed=True) - 2000) < 80
            for p in loud
        )


async def offered(phone, *, formats="0 8 96", direction="sendrecv", answer=True):
    """Calls without an offer; answers ours in the ACK."""
    phone.request("INVITE")
    assert await phone.status() == 200
    phone.remote_rtp = int(re.search(r"m=audio (\d+) RTP/AVP 8 0 101", phone.text)[1])
    phone.request("ACK", new=False, body=phone.offer(formats=formats, direction=direction) if answer else "")


@pytest.mark.parametrize(("formats", "kind", "name"), [("0 96", 0, "PCMU"), ("8 96", 8, "PCMA")])
async def test_who_offers_nothing_is_offered_both_codecs_and_chooses_in_the_ack(formats, kind, name):
    async with office() as line:
        phone = await line.caller()
        await offered(phone, formats=formats)
        while not line.calls:
            await settle()
        for number in range(1, 6):
            payload = codec(name).encode(tone(1, value=1000))
            phone.say(payload, kind=kind, number=number, timestamp=160 * number)
        await line.until(2)
        assert isinstance(line.seen[0], Sound)
        line.calls[0].say(tone(3, value=2000))
        await line.timer.advance(0.2)
        packets = [await phone.sound.got.get() for _ in range(8)]
        assert {packet[1] & 0x7F for packet in packets} == {kind}
        phone.request("INVITE", body=phone.offer(formats=formats, direction="sendonly"))
        assert await phone.status() == 200 and "a=recvonly" in phone.text
        phone.request("ACK", new=False)
        phone.request("INVITE")
        assert await phone.status() == 200 and f"RTP/AVP {kind}" in phone.text
        phone.request("ACK", new=False)
        phone.request("BYE")
        assert await phone.status() == 200
        await line.ended.wait()
        await settle()
        assert line.clean


@pytest.mark.parametrize("answer", [{"formats": "18"}, {"answer": False}])
async def test_an_answer_to_our_offer_that_cannot_be_used_ends_the_call(answer):
    async with office() as line:
        phone = await line.caller()
        await offered(phone, **answer)
        phone.reply(await phone.message("BYE"), 200)
        await asyncio.gather(*line.line._tasks)
        assert line.calls == [] and line.clean


async def test_who_never_answers_our_offer_and_hangs_up_leaves_nothing():
    async with office() as line:
        phone = await line.caller()
        phone.request("INVITE")
        assert await phone.status() == 200
        phone.request("BYE")
        assert await phone.status() == 200
        await asyncio.gather(*line.line._tasks)
        assert line.calls == [] and line.clean


async def test_the_line_can_stop_while_an_answer_is_awaited():
    async with office() as line:
        phone = await line.caller()
        phone.request("INVITE")
        assert await phone.status() == 200
        await line.line.stop()
        assert line.calls == [] and line.clean


async def test_a_key_by_rfc_4733_counts_once_however_often_its_end_is_repeated():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        for number, end in enumerate([0, 0, 0x80, 0x80, 0x80], start=1):
            phone.say(struct.pack("!BBH", 5, end | 10, 160 * number), kind=96, number=number, timestamp=160)
        phone.say(b"\x05", kind=96, number=9, timestamp=999)
        phone.say(struct.pack("!BBH", 11, 0x8A, 800), kind=96, number=10, timestamp=1600)
        await line.until(2)
        assert line.seen == [Key("5"), Key("#")]


async def test_a_key_by_info_counts():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        phone.request("INFO", body="Signal=7\r\nDuration=160\r\n", kind="application/dtmf-relay")
        assert await phone.status() == 200
        await line.until(1)
        assert line.seen == [Key("7")]


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", "Signal= 5\r\nDuration=160", "5"),
        ("application/dtmf-relay; charset=utf-8", "signal=*\nDuration=160", "*"),
        ("application/dtmf", "#", "#"),
        ("application/dtmf", "12", ""),
        ("application/dtmf-relay", "Signal=hello", ""),
        ("text/plain", "5", ""),
    ],
)
def test_an_info_is_a_key_or_something_else(kind, body, digit):
    assert info_digit(kind, body) == digit


async def test_we_can_hang_up():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        await settle()
        await line.calls[0].hang_up()
        while not (text := await phone.wire.got.get()).startswith(b"BYE"):
            pass
        assert f"call-{phone.port}".encode() in text
        await line.ended.wait()
        assert line.seen == [Ended(EndReason.US)]


async def test_an_invite_sent_again_is_answered_again_and_is_no_second_call():
    async with office() as line:
        phone = await line.caller()
        phone.request("INVITE", body=phone.offer())
        first = phone.last
        assert await phone.status() == 200
        for _ in range(3):
            phone.send(first)
            assert await phone.status() == 200
        await settle()
        assert len(line.calls) == 1 and line.door.calls == 1


async def test_hold_silences_us_and_resume_brings_the_sound_back():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        await settle()
        phone.request("INVITE", body=phone.offer(direction="sendonly"))
        assert await phone.status() == 200 and "a=recvonly" in phone.text
        phone.request("ACK", new=False)
        while not phone.sound.got.empty():
            phone.sound.got.get_nowait()
        await line.timer.advance(0.2)
        assert phone.sound.got.empty() and not line.calls[0].over
        phone.request("INVITE", body=phone.offer())
        assert await phone.status() == 200 and "a=sendrecv" in phone.text
        await line.timer.advance(0.1)
        await phone.sound.got.get()


async def test_a_cancel_in_time_ends_the_call_before_it_began():
    async with office() as line:
        phone = await line.caller()
        phone.request("INVITE", body=phone.offer())
        phone.request("CANCEL", new=False)
        statuses = {await phone.status(), await phone.status()}
        assert statuses in ({200, 487}, {200})  # the second when the answer was already on its way
        await settle()
        assert line.door.calls == 0 and line.line._ports._allocated == set()
        assert line.seen in ([], [Ended(EndReason.CALLER)])


@pytest.mark.parametrize("formats", ["18", "96", "9 18"])
async def test_without_a_common_codec_the_call_is_refused(formats):
    async with office() as line:
        phone = await line.caller()
        assert await phone.dial(formats=formats) == 488
        await settle()
        assert line.calls == [] and line.door.calls == 0 and line.line._ports._allocated == set()


async def test_a_stranger_is_refused():
    async with office(allowed=(ip_network("10.0.0.0/8"),)) as line:
        phone = await line.caller()
        assert await phone.dial() == 403
        assert line.calls == []


async def test_a_busy_line_says_so():
    async with office(calls_max=1) as line:
        assert await (await line.caller()).dial() == 200
        assert await (await line.caller()).dial() == 486


async def test_an_offer_that_points_at_a_third_party_gets_no_sound_there():
    async with office() as line:
        phone = await line.caller()
        assert await phone.dial(host="203.0.113.9") == 200
        await settle()
        assert line.line._calls[f"call-{phone.port}"].rtp._remote_addr[0] == "127.0.0.1"


@asynccontextmanager
async def third_party(host):
    """Another socket in an allowed network; sends sound into a call."""
    rtp, sound = await asyncio.get_running_loop().create_datagram_endpoint(Wire, local_addr=(host, 0))

    def say(phone, value, number):
        head = struct.pack("!BBHII", 0x80, 0, number, 160 * number, 9)
        rtp.sendto(head + codec("PCMU").encode(tone(1, value=value)), ("127.0.0.1", phone.remote_rtp))

    try:
        yield say, sound.got
    finally:
        rtp.close()


def frames(phone, numbers, value=1000):
    for number in numbers:
        phone.say(codec("PCMU").encode(tone(1, value=value)), number=number, timestamp=160 * number)


def loudness(seen):
    return [abs(int.from_bytes(event.pcm[:2], "little", signed=True)) for event in seen]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("first", ["caller", "third party"])
async def test_nobody_else_in_the_network_is_heard_in_a_call_or_gets_its_sound(host, first):
    async with office() as line, third_party(host) as (intrude, overheard):
        phone = await line.caller()
        await phone.dial()
        if first == "third party":
            intrude(phone, 20_000, 1)
            await line.until(1)
        frames(phone, range(100, 110))
        await settle()
        await line.until(2)
        line.seen.clear()
        for number in range(2, 20):
            intrude(phone, 20_000, number)
        intrude(phone, 20_000, 0xFFFF)
        frames(phone, range(110, 130))
        await line.until(15)
        assert max(loudness(line.seen)) < 2000
        rtp = line.line._calls[f"call-{phone.port}"].rtp
        assert rtp._remote_addr == ("127.0.0.1", phone.rtp_port)
        while not overheard.empty():
            overheard.get_nowait()
        line.calls[0].say(tone(3, value=2000))
        await line.timer.advance(0.2)
        await settle()
        assert overheard.empty() and await phone.sound.got.get()


async def test_behind_a_translation_of_addresses_the_first_to_send_is_the_caller_until_the_next_offer():
    async with (
        office() as line,
        third_party("127.0.0.1") as (first, his),
        third_party("127.0.0.2") as (
            late,
            _,
        ),
    ):
        phone = await line.caller()
        await phone.dial(host="203.0.113.9")
        rtp = line.line._calls[f"call-{phone.port}"].rtp
        first(phone, 1000, 1)
        await line.until(1)
        source = rtp._remote_addr
        for number in range(2, 6):
            first(phone, 1000, number)
            late(phone, 20_000, number)
        await line.until(5)
        assert max(loudness(line.seen)) < 2000 and rtp._remote_addr == source
        line.calls[0].say(tone(1, value=2000))
        await line.timer.advance(0.2)
        assert await his.get()
        phone.request("INVITE", body=phone.offer(host="203.0.113.9"))
        assert await phone.status() == 200
        phone.request("ACK", new=False)
        assert rtp._remote_addr == source, "the same offer changes nothing until somebody sends"
        for number in range(6, 12):
            late(phone, 20_000, number)
        await line.until(8)
        assert rtp._remote_addr[0] == "127.0.0.2"


async def test_a_report_from_somebody_else_keeps_no_line_alive_and_moves_nothing():
    async with office() as line, third_party("127.0.0.2"):
        phone = await line.caller()
        await phone.dial()
        frames(phone, range(1, 5))
        await line.until(1)
        rtp = line.line._calls[f"call-{phone.port}"].rtp
        packets, reports_to = rtp.packets, rtp._remote_rtcp_addr
        rtp._handle_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 9), ("127.0.0.2", 4001))
        assert (rtp.packets, rtp._remote_rtcp_addr) == (packets, reports_to)
        rtp._handle_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 9), ("127.0.0.1", 4001))
        assert rtp.packets == packets + 1


async def test_a_second_call_with_the_id_of_another_is_refused():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        phone.to_tag = ""
        phone.request("INVITE", body=phone.offer())
        assert await phone.status() == 482
        assert len(line.calls) == 1


async def test_requests_outside_any_call_are_refused():
    async with office() as line:
        phone = await line.caller()
        for method, status in (("BYE", 481), ("INFO", 481), ("MESSAGE", 405), ("OPTIONS", 200)):
            phone.request(method)
            assert await phone.status() == status


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=120), max_size=8), st.integers(0, 400), st.binary(max_size=6))
async def test_no_datagram_breaks_the_line(packets, cut, patch):
    async with office() as line:
        phone = await line.caller()
        assert await phone.dial() == 200
        for packet in packets:
            phone.send(packet)
            phone.rtp.sendto(packet, ("127.0.0.1", phone.remote_rtp))
            phone.say(packet, kind=96)
        phone.request("INVITE", body=phone.offer())
        phone.send(phone.last[:cut] + patch + phone.last[cut + len(patch) :])
        other = await line.caller()
        assert await other.dial() == 200
