"""Whatever is sent, to any address and over any socket, is answered with a refusal: never a fault, nothing written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import WSMsgType

from desk.service import DEMO_PASSWORD
from tests.bot.running.conftest import Caller, Surface

pytestmark = pytest.mark.asyncio(loop_scope="module")
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    1.5,
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "１３８００００００００４",
    "٣" * 11,
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "%s%s{0}{}",
    "𠮷" * 600,
    "x" * 3000,
    [],
    ["x"],
    {},
    {"$ne": ""},
]
FIELDS = {
    "/api/session": ["conversation_id"],
    "/api/login": ["phone", "password", "trust_device"],
    "/api/login/resend": ["challenge_id"],
    "/api/login/verify": ["challenge_id", "code"],
    "/api/recovery": ["phone"],
    "/api/recovery/prove": ["recovery_id", "code", "name", "id_number"],
    "/api/recovery/finish": ["recovery_id", "password"],
    "/api/scan": ["client_id"],
    "/desk/api/login": ["username", "password"],
    "/desk/api/active": ["state"],
    "/desk/api/presence": ["state", "reason"],
    "/desk/api/conversations/c1/claim": ["conversation_id"],
    "/desk/api/conversations/c1/say": ["client_id", "text"],
    "/desk/api/conversations/c1/typing": ["text"],
    "/desk/api/conversations/c1/hand-back": ["note", "summary"],
    "/desk/api/conversations/c1/close": ["wrap_up"],
    "/desk/api/conversations/c1/unmask": ["field"],
    "/desk/api/conversations/c1/note": ["text"],
    "/desk/api/conversations/c1/vouch": ["note"],
    "/desk/api/conversations/c1/propose": ["client_id", "slot", "text"],
    "/desk/api/conversations/c1/transfer": ["agent", "team", "note"],
    "/desk/api/conversations/c1/whisper": ["text"],
    "/desk/api/conversations/c1/take-over": ["conversation_id"],
    "/desk/api/replies": ["shortcut", "text", "scope"],
    "/desk/api/replies/r1": ["shortcut", "text"],
    "/desk/api/replies/r1/move": ["step"],
    "/desk/api/replies/r1/retire": ["reply_id"],
    "/desk/api/replies/r1/restore": ["reply_id"],
    "/desk/api/conversations/c1/pass": ["conversation_id"],
    "/desk/api/complaints/GD20261104000001/take": ["number"],
    "/desk/api/complaints/GD20261104000001/assign": ["username"],
    "/desk/api/complaints/GD20261104000001/category": ["text"],
    "/desk/api/complaints/GD20261104000001/note": ["text"],
    "/desk/api/complaints/GD20261104000001/answer": ["text"],
    "/desk/api/tickets/GD20261104000001/finish": ["note", "is_owner"],
    "/desk/api/tickets/GD20261104000001/phone": ["number"],
    "/desk/api/tickets/GD20261104000001/put-back": ["number"],
    "/wechat/callback": ["timestamp"],
    "/wechat/api/login": ["phone", "password"],
    "/wechat/api/login/resend": ["challenge_id"],
    "/wechat/api/login/verify": ["challenge_id", "code"],
    "/wechat/api/secret": ["client_id", "code"],
    "/wechat/api/secret/resend": ["client_id"],
    "/wechat/api/unbind": ["all"],
    "/api/logout": ["all"],
    "/desk/api/logout": ["all"],
    # Last, for they shut the seat: a locked one does nothing more, and wrong passwords lock its name.
    "/desk/api/lock": ["state"],
    "/desk/api/unlock": ["password"],
}
GOOD = {
    "phone": "13900000009",
    "password": DEMO_PASSWORD,
    "challenge_id": "0" * 32,
    "code": "123456",
    "recovery_id": "0" * 32,
    "name": "张伟",
    "id_number": "110101199003070046",
    "username": "nobody",
    "client_id": "client-0001",
    "text": "您好",
}
RAW = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"1",
    b"\xff\xfe",
    b"[" * 3000,
    b'{"a":' * 900,
    b"{}" * 5000,
    b"1" * 4200,
]
TYPES = [
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "application/json;;;",
    "text/plain",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "image/png",
    "",
]
NAMES = [
    "%00",
    "%ff",
    "..%2f..%2fetc%2fpasswd",
    "%ed%a0%80",
    "a" * 2000,
    "'%20OR%201=1",
    "%0d%0aSet-Cookie:x=1",
    "*",
]


async def seats(surface: Surface) -> Caller:
    """A browser in which a customer, an agent and a follower in WeChat are at home."""
    agent, customer, follower = await surface.agent(), await surface.customer(), await surface.follower()
    return Caller("", cookies=agent.cookies | customer.cookies | follower.cookies)


async def test_no_value_in_any_field_is_a_fault(surface: Surface) -> None:
    assert set(FIELDS) == {path for method, path in surface.routes() if method not in ("GET", "HEAD")}
    both = await seats(surface)
    for path, fields in FIELDS.items():
        for field in fields:
            for odd in ODD:
                body = {name: GOOD.get(name, "") for name in fields} | {field: odd}
                answer = await surface.call("POST", path, by=both, json=body)
                assert answer.status < 500, (path, field, odd, answer)
                if path.endswith("/unlock"):
                    continue
                if answer.status == 401 or path.endswith(("/logout", "/api/login")):
                    both = await seats(surface)
    surface.clock.advance(seconds=3600)  # the agent's name is free again


@pytest.mark.parametrize("path", [path for path in FIELDS if not path.endswith("logout")])
async def test_no_body_and_no_content_type_is_a_fault(surface: Surface, path: str) -> None:
    both = await seats(surface)
    for raw in RAW:
        headers = {"Origin": surface.origin, "Content-Type": "application/json"}
        answer = await surface.call("POST", path, by=both, headers=headers, data=raw)
        assert answer.status < 500, (raw[:20], answer)
    for kind in TYPES:
        headers = {"Origin": surface.origin, "Content-Type": kind}
        answer = await surface.call("POST", path, by=both, headers=headers, data=b'{"state":"off"}')
        assert answer.status < 500, (kind, answer)


async def test_no_name_in_an_address_is_a_fault(surface: Surface) -> None:
    both = await seats(surface)
    for name in NAMES:
        for path in (
            f"/static/{name}",
            f"/wechat/static/{name}",
            f"/wechat/callback?signature={name}&timestamp={name}&nonce={name}&echostr={name}",
            f"/desk/static/{name}",
            f"/desk/api/conversations/{name}",
            f"/desk/api/conversations/{name}?after_seq={name}",
            f"/desk/api/conversations/c1?after_seq={name}",
            f"/desk/api/tickets?status={name}",
            f"/{name}",
        ):
            assert (await surface.call("GET", path, by=both)).status in (400, 403, 404), path
        back = f"/wechat/back?code={name}&state={name}"
        assert (await surface.call("GET", back)).status == 400, name
        answer = await surface.call("GET", back, by=both)  # who has the page already is sent to it
        assert (answer.status, answer.headers["Location"]) == (302, "/wechat/page"), name
        for act in ("claim", "say", "typing", "hand-back", "close"):
            path = f"/desk/api/conversations/{name}/{act}"
            assert (await surface.call("POST", path, by=both, json=GOOD)).status in (400, 404), path
        for act in ("finish", "phone"):
            path = f"/desk/api/tickets/{name}/{act}"
            assert (await surface.call("POST", path, by=both, json={"note": "好"})).status == 404, path


@pytest.mark.parametrize(
    "header",
    [
        b"Cookie: zg_session=\xff\xfe; zg_desk=\xff",
        b"Cookie: zg_session=\xed\xa0\x80; zg_desk=\xed\xa0\x80",
        b"Cookie: ;;;===",
        b"Cookie: zg_session=" + b"x" * 6000,
        b"Origin: \xff",
        b"Origin: http://[",
        b"If-None-Match: junk",
        b'If-None-Match: "\xff"',
        b"Accept-Encoding: \xff",
        b"X-Forwarded-For: \xff, 1.2.3.4",
        b"Content-Length: 5",
        b"Range: bytes=9-1",
        b"Expect: tea",
    ],
    ids=lambda header: header[:30].decode("latin-1"),
)
@pytest.mark.parametrize("host", [b"own", b"\xff", b"a b", b"[", b""])
async def test_no_header_is_a_fault(surface: Surface, header: bytes, host: bytes) -> None:
    host = f"127.0.0.1:{surface.server.port}".encode() if host == b"own" else host
    for path in (b"/", b"/api/me", b"/chat/ws", b"/dev/sms", b"/desk/api/me", b"/desk/api/ws", b"/metrics"):
        status = await _raw(surface, b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + header)
        assert status < 500, path
    for path in (b"/api/session", b"/api/login", b"/desk/api/login", b"/desk/api/logout"):
        status = await _raw(
            surface, b"POST " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + header, b"{}"
        )
        assert status < 500, path


async def test_a_request_written_by_hand_is_read(surface: Surface) -> None:
    host = f"127.0.0.1:{surface.server.port}".encode()
    assert await _raw(surface, b"GET / HTTP/1.1\r\nHost: " + host) == 200
    assert await _raw(surface, b"POST /api/session HTTP/1.1\r\nHost: " + host, b"{}") == 200
    assert (
        await _raw(surface, b"POST /api/session HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 5", b"{}")
        == 200
    )


async def _raw(surface: Surface, head: bytes, body: bytes = b"") -> int:
    """The status of a request written byte by byte."""
    surface.clock.advance(seconds=20)
    reader, writer = await asyncio.open_connection("127.0.0.1", surface.server.port)
    own = b"" if b"Origin:" in head else b"\r\nOrigin: " + surface.origin.encode()
    size = b"" if b"Content-Length:" in head else b"\r\nContent-Length: %d" % len(body)
    body = body if size else body.ljust(5)
    writer.write(
        head + own + size + b"\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + body
    )
    status = (await asyncio.wait_for(reader.readline(), 5)).split()[1]
    writer.close()
    await writer.wait_closed()
    return int(status)


async def test_no_frame_is_a_fault_nor_takes_the_line_down(surface: Surface) -> None:
    customer = await surface.customer("赵四", "13900000004")
    frames = [
        {"type": kind, "client_id": f"client-{number:04}", field: odd}
        for kind in ("hello", "say", "secret", "rate", "typing", "ping", "nothing")
        for field in ("type", "client_id", "text", "after_seq", "conversation_id", "score", "comment")
        for number, odd in enumerate(ODD)
    ]
    async with surface.socket(customer) as socket:
        await socket.send_json({"type": "hello", "after_seq": 0})
        for frame in frames:
            surface.clock.advance(seconds=20)
            await socket.send_str(json.dumps(frame))
            await socket.send_json({"type": "ping"})
            while (heard := await socket.receive_json(timeout=10))["type"] != "pong":
                assert heard.get("code") not in ("turn_failed", "unavailable"), (frame, heard)


async def test_no_frame_at_the_desk_is_a_fault_nor_takes_the_line_down(surface: Surface) -> None:
    agent = await surface.agent()
    async with surface.socket(agent, "/desk/api/ws") as socket:
        for raw in ("", "{", "[]", "null", "[" * 3000, '{"type":["ping"]}', '{"type":"\\ud800"}'):
            await socket.send_str(raw)
        await socket.send_bytes(b"\xff")
        await socket.send_json({"type": "ping"})
        kinds: list[Any] = []
        while not kinds or kinds[-1] != "pong":
            message = await socket.receive(timeout=5)
            assert message.type is WSMsgType.TEXT, message
            kinds.append(json.loads(message.data)["type"])
