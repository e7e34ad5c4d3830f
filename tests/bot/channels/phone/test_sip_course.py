"""What goes wrong or takes its time on a SIP line: lost datagrams, holds, dead media, refusals, the wrong codec."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.phone.audio import FRAME_BYTES, codec
from bot.channels.phone.call import Ended, EndReason, Held, Sound
from bot.channels.phone.errors import SpeakingFailed
from bot.channels.phone.sip import TrunkSettings, dialog
from bot.channels.phone.sip.dialog import DEAD_S
from bot.surfaces.rates import Rate
from tests.bot.channels.phone.datagrams import office
from tests.bot.channels.phone.jitter import arrivals
from tests.bot.channels.phone.manual import settle, tone


async def test_a_bye_that_got_lost_is_sent_again_until_it_is_answered():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        await settle()
        await line.calls[0].hang_up()
        first = await phone.message("BYE")
        await line.timer.advance(0.6)
        assert await phone.message("BYE") == first
        await line.timer.advance(1.1)
        assert await phone.message("BYE") == first
        phone.reply(first, 200)
        phone.request("OPTIONS")  # its answer shows that what was sent before has been read
        assert await phone.status() == 200
        await line.timer.advance(40.0)
        assert phone.wire.got.empty() and line.clean


async def test_a_bye_that_nobody_answers_is_given_up_after_half_a_minute():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        await settle()
        await line.calls[0].hang_up()
        await line.timer.advance(120.0)
        await settle()
        assert line.line._agent._repeating == {}


async def test_an_extension_we_lack_is_named():
    async with office() as line:
        phone = await line.caller()
        phone.request("INVITE", body=phone.offer(), more=["Require: timer, precondition"])
        assert await phone.status() == 420 and "Unsupported: precondition" in phone.text
        phone.request("INVITE", body=phone.offer(), more=["Require: 100rel"])
        assert await phone.status() == 200


async def test_a_session_timer_is_agreed_on():
    async with office() as line:
        phone = await line.caller()
        phone.request(
            "INVITE", body=phone.offer(), more=["Supported: timer", "Session-Expires: 600;refresher=uac"]
        )
        assert await phone.status() == 200 and "Session-Expires: 600;refresher=uac" in phone.text


async def test_a_session_interval_that_is_too_short_is_refused_with_the_shortest_one():
    async with office() as line:
        phone = await line.caller()
        phone.request("INVITE", body=phone.offer(), more=["Session-Expires: 30"])
        assert await phone.status() == 422 and "min-se: 90" in phone.text.lower()


async def test_a_dialog_that_the_other_side_knows_no_longer_ends_the_call():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        await settle()
        request = (
            f"UPDATE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKu\r\nFrom: <sip:a@b>;tag=1\r\n"
            f"To: <sip:c@d>;tag=2\r\nCall-ID: call-{phone.port}\r\nCSeq: 9 UPDATE\r\n\r\n"
        )
        phone.reply(request, 481)
        await line.ended.wait()
        assert line.seen[-1] == Ended(EndReason.LOST)


async def test_hold_and_resume_are_told_whether_by_invite_or_update():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        for method, direction in [
            ("INVITE", "sendonly"),
            ("INVITE", "sendrecv"),
            ("UPDATE", "inactive"),
            ("UPDATE", "sendrecv"),
        ]:
            phone.request(method, body=phone.offer(direction=direction))
            assert await phone.status() == 200
            if method == "INVITE":
                phone.request("ACK", new=False)
        await line.until(4)
        assert line.seen == [Held(True), Held(False), Held(True), Held(False)]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
async def test_an_offer_within_the_call_may_name_the_other_codec_first_and_keeps_ours(method):
    async with office() as line:
        phone = await line.caller()
        await phone.dial(formats="0 96")
        phone.request(method, body=phone.offer(formats="8 0 96", direction="sendonly"))
        assert await phone.status() == 200 and re.search(r"m=audio \d+ RTP/AVP 0\b", phone.text)
        await line.until(1)
        assert line.seen == [Held(True)]


async def test_an_offer_within_the_call_that_cannot_be_agreed_to_leaves_it_as_it_was():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        phone.request("INVITE", body=phone.offer(formats="18"))
        assert await phone.status() == 488
        phone.request("ACK", new=False)
        phone.request("UPDATE", body=phone.offer(formats="18"))
        assert await phone.status() == 488
        phone.request("BYE")
        assert await phone.status() == 200
        await line.ended.wait()


async def test_a_call_whose_sound_has_stopped_is_given_up():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        await settle()
        await line.timer.advance(DEAD_S - 6)
        for number in range(5):
            phone.say(codec("PCMU").encode(tone(1, value=900)), number=number, timestamp=160 * number)
        await line.until(1)
        await line.timer.advance(DEAD_S - 6)
        assert not line.calls[0].over
        await line.timer.advance(20.0)
        assert await phone.message("BYE")
        await line.ended.wait()
        assert line.seen[-1] == Ended(EndReason.LOST)


async def test_a_call_on_hold_needs_no_sound_but_does_not_last_for_ever(monkeypatch):
    monkeypatch.setattr(dialog, "HELD_S_MAX", DEAD_S + 20)
    async with office() as line:
        phone = await line.caller()
        await phone.dial(direction="sendonly")
        await settle()
        await line.timer.advance(DEAD_S + 10)
        assert not line.calls[0].over
        await line.timer.advance(20.0)
        await line.ended.wait()


async def test_a_telephone_that_sends_the_other_codec_than_agreed_is_understood():
    async with office() as line:
        phone = await line.caller()
        await phone.dial(formats="0 8 96")
        for number in range(1, 6):
            phone.say(
                codec("PCMA").encode(tone(1, value=3000)), kind=8, number=number, timestamp=160 * number
            )
        await line.until(2)
        heard = int.from_bytes(line.seen[0].pcm[:2], "little", signed=True)
        assert abs(heard - 3000) < 150
        await line.timer.advance(0.1)
        packets = [await phone.sound.got.get() for _ in range(3)]
        assert {packet[1] & 0x7F for packet in packets} == {0}


async def test_payloads_that_are_no_sound_are_not_heard_as_noise():
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        for number in range(1, 9):
            phone.say(b"\x55" * 160, kind=18 if number < 5 else 0, number=number, timestamp=160 * number)
        await line.until(1)
        phone.request("BYE")
        assert await phone.status() == 200
        await line.ended.wait()
        assert sum(isinstance(event, Sound) for event in line.seen) <= 4


@pytest.mark.parametrize("lost", [0.01, 0.03, 0.05, 0.10])
async def test_with_packets_lost_and_out_of_order_the_length_of_the_sound_holds(lost):
    """300 frames, so many lost, some overtaken by their neighbour: what is heard is as long, with no frame twice."""
    frames, draw = 300, random.Random(f"loss {lost}")
    order = list(range(frames))
    for at in range(0, frames - 1, 7):
        order[at], order[at + 1] = order[at + 1], order[at]
    kept = [number for number in order if draw.random() >= lost or number in (0, frames - 1)]
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        encode = codec("PCMU").encode
        for number in kept:
            phone.say(encode(tone(1, value=8 * (number + 10))), number=number, timestamp=160 * number)
            if number % 20 == 0:
                await settle()
        await line.until(int(0.97 * frames))  # datagrams of two sockets have no order
        phone.request("BYE")
        assert await phone.status() == 200
        await line.ended.wait()
        heard = [event.pcm for event in line.seen if isinstance(event, Sound)]
        assert all(len(pcm) == FRAME_BYTES for pcm in heard)
        assert frames * 0.97 <= len(heard) + line.calls[0].frames_dropped <= frames * 1.02


@pytest.mark.parametrize("jitter_ms", [20, 60, 100])
async def test_a_call_over_a_shaky_network_is_heard_in_order_and_nearly_whole(jitter_ms):
    """Each frame a little louder than the one before: order is heard in the sound itself."""
    frames = 400
    async with office() as line:
        phone = await line.caller()
        await phone.dial()
        encode = codec("PCMU").encode
        for sent, arrival in enumerate(arrivals(frames, jitter_ms=jitter_ms, seed=3)):
            number = arrival.number
            sound = encode(tone(1, value=60 * (number + 1)))
            phone.say(sound, number=number + 1, timestamp=160 * number)
            if sent % 20 == 19:
                await line.until(sent - 15)
        await line.until(frames - 12)
        phone.request("BYE")
        assert await phone.status() == 200
        await line.ended.wait()
        heard = [event.pcm for event in line.seen if isinstance(event, Sound)]
        loudness = [int.from_bytes(pcm[:2], "little", signed=True) for pcm in heard]
        assert loudness == sorted(loudness)
        assert frames - 12 <= len(heard) <= frames


async def test_who_calls_at_a_bad_time_hears_why_before_the_refusal():
    async def words(why):
        return tone(10, value=2000)

    async with office(refusal=words, calls_max=1) as line:
        await (await line.caller()).dial()
        late = await line.caller()
        late.request("INVITE", body=late.offer())
        assert await late.status() == 180 and "m=audio" in late.text
        await settle()
        await line.timer.advance(1.0)
        assert await late.status() == 486
        loud = 0
        while not late.sound.got.empty():
            packet = late.sound.got.get_nowait()
            if len(packet) == 172 and packet[1] & 0x7F == 0:
                loud += codec("PCMU").decode(packet[12:14]) != b"\0\0\0\0"
        assert loud == 10
        late.request("ACK", new=False)
        await settle()
        assert line.door.calls == 1 and len(line.line._ports._allocated) == 1


async def test_a_voice_that_fails_leaves_the_plain_refusal():
    async def broken(why):
        raise SpeakingFailed

    async with office(refusal=broken, calls_max=1) as line:
        await (await line.caller()).dial()
        assert await (await line.caller()).dial() == 486


async def test_who_gives_up_while_hearing_the_refusal_leaves_nothing_behind():
    async def words(why):
        return tone(500)

    async with office(refusal=words, calls_max=1) as line:
        first = await line.caller()
        await first.dial()
        late = await line.caller()
        late.request("INVITE", body=late.offer())
        assert await late.status() == 180
        late.request("CANCEL", new=False)
        assert {await late.status(), await late.status()} == {200, 487}
        first.request("BYE")
        assert await first.status() == 200
        for _ in range(20):
            await asyncio.sleep(0)
        await settle()
        assert line.clean


async def test_without_a_free_port_the_line_is_busy_and_says_so():
    async with office(ports=(31_200, 31_202)) as line:
        assert await (await line.caller()).dial() == 200
        assert await (await line.caller()).dial() == 486


SENDS = ("INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "OPTIONS", "PRACK", "REFER", "NOTIFY", "MESSAGE")


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(SENDS),
            st.sampled_from(("", "0 8 96", "18", "8")),
            st.integers(0, 700),
            st.binary(max_size=4),
            st.booleans(),
        ),
        max_size=10,
    ),
    st.booleans(),
)
async def test_whatever_is_sent_in_whatever_order_no_call_and_no_port_is_left(course, answered):
    """Requests of a dialog in any order, some torn, some sent twice; afterwards the line takes calls as before."""
    async with office(
        calls_max=50, calls_caller_max=50, starts=Rate(500, 100.0), starts_caller=Rate(500, 100.0)
    ) as line:
        phone = await line.caller()
        if answered:
            assert await phone.dial() == 200
        for method, formats, at, patch, twice in course:
            body = phone.offer(formats=formats) if formats and method in ("INVITE", "UPDATE", "ACK") else ""
            phone.request(method, body=body)
            if patch:
                phone.send(phone.last[:at] + patch + phone.last[at + len(patch) :])
            if twice:
                phone.send(phone.last)
        other = await line.caller()
        assert await other.dial() == 200
        await settle()
        await line.line.stop()
        assert line.clean and line.line._agent._repeating == {}
        assert not [task for task in asyncio.all_tasks() if "SipLine" in repr(task.get_coro())]


class Registrar:
    """A carrier that wants a digest for every REGISTER, unless it is told to be silent."""

    def __init__(self):
        self.asked, self.silent, self.refuse = [], False, False
        self.more = asyncio.Event()

    async def open(self):
        loop = asyncio.get_running_loop()
        registrar = self

        class Wire(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                registrar.transport = transport

            def datagram_received(self, data, addr):
                registrar.take(data.decode(), addr)

        self.transport, _ = await loop.create_datagram_endpoint(Wire, local_addr=("127.0.0.1", 0))
        return self.transport.get_extra_info("sockname")[1]

    def take(self, text, addr):
        if not text.startswith("REGISTER"):
            return
        self.asked.append(text)
        self.more.set()
        if self.silent:
            return
        kept = [
            line for line in text.split("\r\n") if re.match(r"(?i)(via|from|to|call-id|cseq|contact):", line)
        ]
        status, more = "200 OK", ["Expires: 300"]
        if self.refuse:
            status = "403 Forbidden"
        elif not self.right(text):
            status, more = (
                "401 Unauthorized",
                ['WWW-Authenticate: Digest realm="carrier", nonce="n1", qop="auth"'],
            )
        self.transport.sendto(
            "\r\n".join([f"SIP/2.0 {status}", *kept, *more, "Content-Length: 0", "", ""]).encode(), addr
        )

    def right(self, text):
        found = dict(re.findall(r'(\w+)="?([^",\r]+)"?', text.partition("Authorization: Digest ")[2]))
        if not found:
            return False

        def digest(words):
            return hashlib.md5(words.encode()).hexdigest()

        ha1, ha2 = digest("bank:carrier:secret"), digest(f"REGISTER:{found['uri']}")
        return found["response"] == digest(f"{ha1}:n1:{found['nc']}:{found['cnonce']}:auth:{ha2}")

    async def until(self, count):
        while len(self.asked) < count:
            self.more.clear()
            await self.more.wait()


async def test_an_account_is_registered_with_its_digest_and_taken_back_at_the_end():
    registrar = Registrar()
    port = await registrar.open()
    async with office(trunk=TrunkSettings(f"sip:bank@127.0.0.1:{port}", "secret")) as line:
        await registrar.until(2)
        await settle()
        assert (
            "Authorization" in registrar.asked[1] and f"sip:bank@127.0.0.1:{line.port}" in registrar.asked[1]
        )
        assert "secret" not in "".join(registrar.asked)
    await registrar.until(3)
    assert "Expires: 0" in registrar.asked[2]
    registrar.transport.close()


@pytest.mark.parametrize("trouble", ["silent", "refuse"])
async def test_a_registrar_that_is_silent_or_refuses_is_asked_again_with_growing_pauses(trouble):
    registrar = Registrar()
    port = await registrar.open()
    setattr(registrar, trouble, True)
    async with office(trunk=TrunkSettings(f"sip:bank@127.0.0.1:{port}", "secret")) as line:
        await registrar.until(1)
        await settle()
        await line.timer.advance(4.1 + 5.1)
        await registrar.until(2)
        await settle()
        setattr(registrar, trouble, False)
        await line.timer.advance(4.1 + 15.1)
        await registrar.until(4)
        assert "Authorization" in registrar.asked[3]
    registrar.transport.close()


async def test_a_registrar_whose_name_leads_nowhere_does_not_stop_the_line(monkeypatch):
    async def nowhere(*_args, **_more):
        raise OSError

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    async with office(trunk=TrunkSettings("sip:bank@carrier.invalid", "secret")) as line:
        assert await (await line.caller()).dial() == 200
