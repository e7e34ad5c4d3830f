"""A telephone made of bare datagrams, and the office it calls: a SIP line with a clock that a test moves."""

from __future__ import annotations

import asyncio
import re
import struct
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from banking_core.clock import ManualClock
from bot.channels.phone.admission import Doorkeeper, LineLimits
from bot.channels.phone.sip import SipLine, SipSettings
from tests.bot.channels.phone.manual import ManualTimer

OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 {host}
t=0 0
m=audio {port} RTP/AVP {formats}
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:96 telephone-event/8000
a={direction}
"""


class Wire(asyncio.DatagramProtocol):
    """A UDP socket that keeps what it gets."""

    def __init__(self):
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.got.put_nowait(data)


class Caller:
    """A telephone."""

    def __init__(self, line, port):
        self.line, self.line_port = line, port
        self.branch, self.cseq, self.to_tag = 0, 0, ""

    async def open(self):
        loop = asyncio.get_running_loop()
        self.sip, self.wire = await loop.create_datagram_endpoint(Wire, local_addr=("127.0.0.1", 0))
        self.rtp, self.sound = await loop.create_datagram_endpoint(Wire, local_addr=("127.0.0.1", 0))
        self.port = self.sip.get_extra_info("sockname")[1]
        self.rtp_port = self.rtp.get_extra_info("sockname")[1]
        return self

    def offer(self, *, formats="0 8 96", direction="sendrecv", host="127.0.0.1"):
        text = OFFER.format(host=host, port=self.rtp_port, formats=formats, direction=direction)
        return text.replace("\n", "\r\n")

    def request(self, method, *, body="", kind="application/sdp", new=True, number="13800000004", more=()):
        if new:
            self.branch += 1
        if method not in ("ACK", "CANCEL") and new:
            self.cseq += 1
        to_tag = f";tag={self.to_tag}" if self.to_tag else ""
        head = [
            f"{method} sip:95000@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{self.port}-{self.branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:{number}@127.0.0.1>;tag=a{self.port}",
            f"To: <sip:95000@127.0.0.1>{to_tag}",
            f"Call-ID: call-{self.port}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: <sip:me@127.0.0.1:{self.port}>",
            *([f"Content-Type: {kind}"] if body else []),
            *more,
            f"Content-Length: {len(body.encode())}",
        ]
        self.last = ("\r\n".join(head) + "\r\n\r\n" + body).encode()
        self.send(self.last)

    def send(self, data):
        self.sip.sendto(data, ("127.0.0.1", self.line_port))

    async def status(self, *, final=True):
        while True:
            text = (await self.wire.got.get()).decode()
            match = re.match(r"SIP/2.0 (\d{3})", text)
            if match and (not final or match[1] != "100"):
                self.text = text
                tag = re.search(r"^To:.*;tag=(\S+)", text, re.MULTILINE)
                if tag and match[1] == "200":
                    self.to_tag = tag[1]
                return int(match[1])

    async def message(self, method):
        """The next request of this kind that the line sends us."""
        while True:
            text = (await self.wire.got.get()).decode()
            if text.startswith(f"{method} "):
                return text

    def reply(self, request, status, *, more=()):
        """Answers a request of the line."""
        kept = [line for line in request.split("\r\n") if re.match(r"(?i)(via|from|to|call-id|cseq):", line)]
        head = [f"SIP/2.0 {status} Whatever", *kept, *more, "Content-Length: 0"]
        self.send(("\r\n".join(head) + "\r\n\r\n").encode())

    async def dial(self, **offer):
        self.request("INVITE", body=self.offer(**offer))
        status = await self.status()
        if status == 200:
            self.remote_rtp = int(re.search(r"m=audio (\d+)", self.text)[1])
            self.request("ACK", new=False)
        return status

    def say(self, payload, *, kind=0, number=1, timestamp=0):
        head = struct.pack("!BBHII", 0x80, kind, number, timestamp, 7)
        self.rtp.sendto(head + payload, ("127.0.0.1", self.remote_rtp))


class Office:
    def __init__(self, *, refusal=None, trunk=None, ports=(31_000, 31_100), **limits):
        self.timer = ManualTimer()
        self.door = Doorkeeper(ManualClock(datetime(2026, 11, 2, tzinfo=UTC)), LineLimits(**limits))
        settings = SipSettings("127.0.0.1", 0, ports, trunk=trunk)
        self.line = SipLine(settings, self.door, self.answer, self.timer, refusal=refusal)
        self.calls, self.seen, self.callers = [], [], []
        self.ended, self.more = asyncio.Event(), asyncio.Event()

    async def answer(self, call):
        self.calls.append(call)
        async for event in call.events():
            self.seen.append(event)
            self.more.set()
        self.ended.set()

    async def caller(self):
        self.callers.append(await Caller(self.line, self.port).open())
        return self.callers[-1]

    @property
    def clean(self):
        """Nothing is left of any call: no place taken, no port, no dialog."""
        line = self.line
        return self.door.calls == 0 and line._ports._allocated == set() and line._calls == {}

    async def until(self, count):
        while len(self.seen) < count:
            self.more.clear()
            await self.more.wait()


@asynccontextmanager
async def office(**how):
    made = Office(**how)
    async with asyncio.timeout(10):
        made.port = await made.line.start()
        try:
            yield made
        finally:
            await made.line.stop()
            for caller in made.callers:
                caller.sip.close()
                caller.rtp.close()
