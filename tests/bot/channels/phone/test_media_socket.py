"""The media web socket: signed carriers only, their dialect, and no message that could break it."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from banking_core.clock import ManualClock
from bot.channels.phone import media_messages as wire
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.audio import codec
from bot.channels.phone.call import Ended, EndReason, Key, Played, Sound
from bot.channels.phone.errors import MalformedMessage, NoCommonCodec, SignatureRefused
from bot.channels.phone.loop.manner import ALL_BUSY
from bot.channels.phone.media_socket import MALFORMED_MAX, MediaSocketLine, MediaSocketSettings
from bot.channels.phone.signature import SIGNATURE_HEADER, require_signature, sign
from bot.surfaces.rates import Rate
from tests.bot.channels.phone.manual import ManualTimer, settle, tone

SECRET, URL = "carrier-secret", "https://bank.example/phone"
SOCKET_URL = "wss://bank.example/phone/media"
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
START = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": "MZ1",
    "start": {
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"caller": "13900000009"},
    },
}
STOP = {"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA1"}}


def media(pcm: bytes) -> dict[str, object]:
    payload = base64.b64encode(codec("PCMU").encode(pcm)).decode()
    return {"event": "media", "streamSid": "MZ1", "media": {"track": "inbound", "payload": payload}}


def started(token: str) -> dict[str, object]:
    return {**START, "start": {**START["start"], "customParameters": {"token": token, "caller": "1"}}}


def token_of(document) -> str:
    parameter = document.find("./Connect/Stream/Parameter")
    assert parameter is not None and parameter.get("name") == "token"
    return parameter.get("value")


async def busy_words(_why):
    return tone(5, value=3000)


class Site:
    """The line on a test server, and an answer that keeps what it sees."""

    def __init__(self, client: TestClient, timer: ManualTimer, door: Doorkeeper) -> None:
        self.client, self.timer, self.door = client, timer, door
        self.calls: list[object] = []
        self.seen: list[object] = []
        self.picked_up = asyncio.Event()
        self.ended = asyncio.Event()

    async def answer(self, call):
        self.calls.append(call)
        self.picked_up.set()
        async for event in call.events():
            self.seen.append(event)
        self.ended.set()

    async def announce(self, caller="13800000004"):
        """What the carrier is told to do with a call."""
        form = {"From": caller, "To": "95000", "CallSid": "CA1"}
        signed = {SIGNATURE_HEADER: sign(SECRET, f"{URL}/answer", form)}
        answer = await self.client.post("/phone/answer", data=form, headers=signed)
        assert answer.status == 200
        return ElementTree.fromstring(await answer.text())

    async def dial(self, *messages, signature=None, token=None):
        headers = {SIGNATURE_HEADER: sign(SECRET, SOCKET_URL) if signature is None else signature}
        socket = await self.client.ws_connect("/phone/media", headers=headers)
        if not messages:
            messages = (CONNECTED, started(token or token_of(await self.announce())))
        for message in messages:
            await socket.send_str(message if isinstance(message, str) else json.dumps(message))
        return socket


@asynccontextmanager
async def site(**limits):
    timer, app = ManualTimer(), web.Application()
    door = Doorkeeper(ManualClock(datetime(2026, 11, 2, tzinfo=UTC)), LineLimits(**limits))
    made = Site(TestClient(TestServer(app)), timer, door)
    settings_ = MediaSocketSettings(URL, SECRET, start_wait_s=0.2)
    line = MediaSocketLine(settings_, door, made.answer, timer, refusal=busy_words)
    line.add_routes(app, "/phone")
    async with asyncio.timeout(10), made.client:
        yield made


async def test_a_call_tells_who_calls_what_is_heard_and_which_keys_are_pressed():
    async with site() as line:
        socket = await line.dial()
        await socket.send_json(media(tone(2, value=1000)))
        await socket.send_json({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": "#"}})
        await socket.send_json(STOP)
        await line.ended.wait()
        (call,) = line.calls
        assert (call.info.caller, call.info.called, call.info.line_call_id) == ("13800000004", "95000", "CA1")
        assert [type(event) for event in line.seen] == [Sound, Sound, Key, Ended]
        assert line.seen[-1] == Ended(EndReason.CALLER)
        heard = int.from_bytes(line.seen[0].pcm[:2], "little", signed=True)
        assert abs(heard - 1000) < 40


async def test_sound_goes_out_paced_and_a_mark_counts_when_the_carrier_has_played_it():
    async with site() as line:
        socket = await line.dial()
        await line.picked_up.wait()
        call = line.calls[0]
        call.say(tone(10, value=500))
        call.mark("m1")
        await line.timer.advance(0.3)
        said = [await socket.receive_json() for _ in range(11)]
        assert [message["event"] for message in said] == ["media"] * 10 + ["mark"]
        assert {message["streamSid"] for message in said} == {"MZ1"}
        assert len(base64.b64decode(said[0]["media"]["payload"])) == 160
        assert line.seen == []
        await socket.send_json({"event": "mark", "streamSid": "MZ1", "mark": {"name": "m1"}})
        await socket.send_json(STOP)
        await line.ended.wait()
        assert line.seen == [Played("m1"), Ended(EndReason.CALLER)]


async def test_a_carrier_that_echoes_no_marks_does_not_keep_the_call_waiting():
    async with site() as line:
        socket = await line.dial()
        await line.picked_up.wait()
        line.calls[0].say(tone(1))
        line.calls[0].mark("m1")
        await line.timer.advance(0.1)
        assert [(await socket.receive_json())["event"] for _ in range(2)] == ["media", "mark"]
        await line.timer.advance(2.1)
        await socket.send_json({"event": "mark", "streamSid": "MZ1", "mark": {"name": "m1"}})
        await socket.send_json(STOP)
        await line.ended.wait()
        assert line.seen == [Played("m1"), Ended(EndReason.CALLER)]


async def test_a_clear_reaches_the_carrier_and_marks_it_drops_do_not_count_as_heard():
    async with site() as line:
        socket = await line.dial()
        await line.picked_up.wait()
        call = line.calls[0]
        call.say(tone(1))
        call.mark("m1")
        await line.timer.advance(0.1)
        call.clear()
        await line.timer.advance(0.1)
        assert [(await socket.receive_json())["event"] for _ in range(3)] == ["media", "mark", "clear"]
        await socket.send_json({"event": "mark", "streamSid": "MZ1", "mark": {"name": "m1"}})
        await socket.send_json(STOP)
        await line.ended.wait()
        assert line.seen == [Ended(EndReason.CALLER)]


async def test_hanging_up_closes_the_socket():
    async with site() as line:
        socket = await line.dial()
        await line.picked_up.wait()
        await line.calls[0].hang_up()
        assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
        await line.ended.wait()
        assert line.seen == [Ended(EndReason.US)]


async def test_a_socket_that_breaks_ends_the_call_and_frees_the_line():
    async with site(calls_max=1) as line:
        socket = await line.dial()
        await line.picked_up.wait()
        await socket.close()
        await line.ended.wait()
        assert line.seen == [Ended(EndReason.LOST)]
        await settle()
        assert line.door.calls == 0


@pytest.mark.parametrize("signature", ["", "wrong", "签名"])
async def test_without_the_carriers_signature_there_is_no_call(signature):
    async with site() as line:
        with pytest.raises(WSServerHandshakeError) as refused:
            await line.dial(signature=signature)
        assert refused.value.status == 403 and line.calls == []


async def test_while_all_lines_are_taken_the_answer_says_so_in_words():
    async with site(calls_max=1) as line:
        await line.dial()
        await line.picked_up.wait()
        document = await line.announce("13800000005")
        said = document.find("./Say")
        assert said is not None and said.get("language") == "zh-CN" and said.text == "".join(ALL_BUSY)
        assert [one.tag for one in document] == ["Say", "Hangup"]


async def test_who_calls_too_fast_is_not_answered_at_anybodys_cost():
    async with site(starts_caller=Rate(1, 0.001)) as line:
        socket = await line.dial()
        await line.picked_up.wait()
        await socket.send_json(STOP)
        await line.ended.wait()
        (only,) = await line.announce()
        assert (only.tag, only.get("reason")) == ("Reject", "busy")
        assert [one.tag for one in await line.announce("13800000005")] == ["Connect"]


async def test_a_caller_whose_line_was_taken_after_the_answer_hears_so_too():
    async with site(calls_max=1) as line:
        late = token_of(await line.announce("13800000005"))
        await line.dial()
        await line.picked_up.wait()
        second = await line.dial(token=late)
        await settle()
        await line.timer.advance(1.0)
        heard = [await second.receive_json() for _ in range(6)]
        assert [message["event"] for message in heard] == ["media"] * 5 + ["mark"]
        await line.timer.advance(3.0)
        assert (await second.receive()).type is WSMsgType.CLOSE
        assert len(line.calls) == 1 and line.door.calls == 1


async def test_the_sound_of_a_call_comes_once_and_within_a_minute_or_there_is_no_call():
    async with site() as line:
        used = token_of(await line.announce())
        await line.dial(token=used)
        await line.picked_up.wait()
        too_late = token_of(await line.announce())
        await line.timer.advance(61.0)
        for token in (used, too_late, "made up", ""):
            socket = await line.dial(CONNECTED, started(token))
            assert (await socket.receive()).type is WSMsgType.CLOSE
        assert len(line.calls) == 1 and line.door.calls == 1


async def test_nobody_says_who_calls_but_the_signed_request():
    async with site() as line:
        await line.dial(token=token_of(await line.announce("+8613800000004")))
        await line.picked_up.wait()
        info = line.calls[0].info
        assert (info.caller, info.called) == ("+8613800000004", "95000")


@pytest.mark.parametrize(
    "messages", [("nonsense",), (STOP,) * 30, (json.dumps({**START, "start": {}}),), (CONNECTED,)]
)
async def test_a_stream_that_does_not_start_properly_is_closed(messages):
    async with site() as line:
        socket = await line.dial(*messages)
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert line.calls == [] and line.door.calls == 0


async def test_a_few_malformed_messages_do_no_harm_and_many_end_the_call():
    async with site() as line:
        socket = await line.dial()
        for _ in range(MALFORMED_MAX):
            await socket.send_str('{"event":"media","media":{"payload":"%%%"}}')
        await socket.send_json({"event": "dtmf", "dtmf": {"digit": "1"}})
        await socket.send_bytes(b"\x00")
        await line.ended.wait()
        assert line.seen == [Key("1"), Ended(EndReason.LOST)]


async def test_the_answer_connects_the_call_to_the_signed_socket_with_a_token():
    async with site() as line:
        form = {"From": "+8613800000004", "To": "95000", "CallSid": "CA1"}
        url = f"{URL}/answer"
        answer = await line.client.post(
            "/phone/answer", data=form, headers={SIGNATURE_HEADER: sign(SECRET, url, form)}
        )
        stream = ElementTree.fromstring(await answer.text()).find("./Connect/Stream")
        assert answer.status == 200 and stream is not None and stream.get("url") == SOCKET_URL
        assert [p.get("name") for p in stream] == ["token"]


@pytest.mark.parametrize(
    ("kind", "body", "coding"),
    [
        ("application/x-www-form-urlencoded", b"From=1", "gzip"),
        ("application/x-www-form-urlencoded", b"From=1", "deflate"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"From=1", None),
        ("application/x-www-form-urlencoded", b"From=\xff\xfe%ff", None),
        ("multipart/form-data", b"From=1", None),
        ("multipart/form-data; boundary=x", b"--x\r\nnothing", None),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n--x--",
            None,
        ),
        ("application/json", b"{}", None),
    ],
)
async def test_no_bytes_are_a_fault_of_the_answer(kind, body, coding):
    async with site() as line:
        headers = {"Content-Type": kind} | ({"Content-Encoding": coding} if coding else {})
        answer = await line.client.post("/phone/answer", data=body, headers=headers)
        assert answer.status in (400, 403, 413)


async def test_an_answer_whose_numbers_were_tampered_with_is_refused():
    async with site() as line:
        form = {"From": "+8613800000004", "To": "95000"}
        signature = sign(SECRET, f"{URL}/answer", form)
        answer = await line.client.post(
            "/phone/answer", data=form | {"From": "+8613800000005"}, headers={SIGNATURE_HEADER: signature}
        )
        assert answer.status == 403


def test_the_signature_is_the_published_one():
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    # The worked example of the carrier's documentation: secret 12345.
    assert (
        sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    )


def test_a_signature_may_be_made_with_or_without_a_slash_at_the_end():
    require_signature(SECRET, SOCKET_URL, sign(SECRET, SOCKET_URL + "/"))
    require_signature(SECRET, SOCKET_URL, sign(SECRET, SOCKET_URL))
    with pytest.raises(SignatureRefused):
        require_signature(SECRET, SOCKET_URL, sign(SECRET, SOCKET_URL + "x"))


def test_a_start_in_a_codec_we_cannot_speak_is_refused():
    start = {**START["start"], "mediaFormat": {"encoding": "audio/opus", "sampleRate": 48000}}
    with pytest.raises(NoCommonCodec):
        wire.parse_message(json.dumps({**START, "start": start}))


async def test_a_number_the_carrier_reports_oddly_is_none():
    async with site() as line:
        await line.dial(token=token_of(await line.announce("<script>")))
        await line.picked_up.wait()
        assert line.calls[0].info.caller == ""


def test_a_token_never_shows_in_a_log():
    message = wire.parse_message(json.dumps(started("opens-a-call")))
    assert isinstance(message, wire.Start) and message.token and "opens" not in repr(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.sampled_from(["start", "media", "dtmf", "mark", "stop", "connected", ""])


@settings(derandomize=True, max_examples=300)
@given(
    st.text(max_size=50)
    | JSON.map(json.dumps)
    | st.builds(
        lambda event, part: json.dumps({"event": event, event: part, "streamSid": "MZ1"}),
        EVENTS,
        JSON
        | st.dictionaries(st.sampled_from([*START["start"], "payload", "digit", "name"]), JSON, max_size=4),
    )
)
def test_any_message_is_read_or_refused(raw: str):
    try:
        message = wire.parse_message(raw)
    except (MalformedMessage, NoCommonCodec):
        return
    assert isinstance(message, wire.Message)
