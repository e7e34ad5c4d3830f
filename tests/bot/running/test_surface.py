"""Every address of the running product, whichever room it belongs to: headers, origins, and who may come in.

The addresses are read from the application, so a new one is held to the same promises from its first day.
"""

from __future__ import annotations

import pytest
from aiohttp import WSServerHandshakeError

from tests.bot.running.conftest import AGENT_COOKIE, CUSTOMER_COOKIE, Caller, Surface

pytestmark = pytest.mark.asyncio(loop_scope="module")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOWHERE = (
    "/nothing",
    "/api/nothing",
    "/desk/nothing",
    "/desk/api/nothing",
    "/static/none.js",
    "/chat",
    "/%00",
    "//",
)
FOREIGN = (
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "http://[::1"},
    {"Origin": "http://a]b:x"},
    {"Origin": "http://127.0.0.1:99999999"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
)
SOCKETS = ("/chat/ws", "/desk/api/ws")
OPEN_AT_THE_DESK = {
    "/desk",
    "/desk/",
    "/desk/static/app.js",
    "/desk/api/login",
    "/desk/api/logout",
    "/desk/api/ws",
}
CACHED = {"/", "/static/app.js", "/desk/", "/desk/static/app.js"}


SIGNED = "/wechat/callback"  # no page posts to it: it proves itself by a signature


def posts(surface: Surface) -> list[str]:
    return [path for method, path in surface.routes() if method not in ("GET", "HEAD") and path != SIGNED]


async def test_the_addresses_are_all_known_to_these_tests(surface: Surface) -> None:
    routes = surface.routes()
    for known in (("POST", "/api/login"), ("POST", "/desk/api/conversations/c1/close"), ("GET", "/metrics")):
        assert known in routes
    assert len(routes) > 30


async def test_every_answer_carries_the_security_headers_and_none_is_a_fault(surface: Surface) -> None:
    agent, customer = await surface.agent(), await surface.customer()
    both = Caller("", cookies=agent.cookies | customer.cookies)
    paths = {path for _, path in surface.routes()} | set(NOWHERE)
    for path in sorted(paths):
        for method in METHODS:
            answer = await surface.call(method, path, by=both)
            where = f"{method} {path} {answer}"
            assert answer.status < 500, where
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy or "default-src 'none'" in policy, where
            assert "unsafe" not in policy and "frame-ancestors 'none'" in policy, where
            assert answer.headers["X-Content-Type-Options"] == "nosniff", where
            assert answer.headers["X-Frame-Options"] == "DENY", where
            assert answer.headers["Referrer-Policy"] == "no-referrer", where
            assert answer.headers["Server"] == "zhanggui", where
            if path in ("/api/logout", "/desk/api/logout") and method == "POST":
                agent, customer = await surface.agent(), await surface.customer()
                both = Caller("", cookies=agent.cookies | customer.cookies)


async def test_what_is_about_a_person_is_kept_by_no_cache(surface: Surface) -> None:
    both = Caller("", cookies=(await surface.agent()).cookies | (await surface.customer()).cookies)
    for path in sorted({path for _, path in surface.routes()} - CACHED - {"/desk", *SOCKETS}):
        answer = await surface.call("GET", path, by=both)
        assert answer.headers.get("Cache-Control") == "no-store", (path, answer)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_what_is_signed_needs_its_signature_wherever_it_comes_from(
    surface: Surface, headers: dict[str, str]
) -> None:
    answer = await surface.call("POST", SIGNED, headers=headers, data=b"<xml><A>1</A></xml>")
    assert (answer.status, answer.text) == (403, "")


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_nothing_is_changed_by_a_request_from_elsewhere(
    surface: Surface, headers: dict[str, str]
) -> None:
    both = Caller("", cookies=(await surface.agent()).cookies | (await surface.customer()).cookies)
    for path in posts(surface):
        answer = await surface.call("POST", path, by=both, headers=headers, json={})
        assert (answer.status, answer.code) == (403, "cross_site"), path
    for path in SOCKETS:
        with pytest.raises(WSServerHandshakeError) as refused:
            cookies = "; ".join(f"{name}={value}" for name, value in both.cookies.items())
            await surface.http.ws_connect(f"{surface.origin}{path}", headers=headers | {"Cookie": cookies})
        assert refused.value.status == 403, path


async def test_a_customer_s_cookie_by_any_name_opens_nothing_at_the_desk(surface: Surface) -> None:
    customer = await surface.customer("张一", "13900000001")
    for cookies in (
        {},
        customer.cookies,
        {AGENT_COOKIE: customer.token},
        {AGENT_COOKIE: customer.conversation_id},
        {AGENT_COOKIE: ""},
    ):
        for method, path in surface.routes():
            if path.startswith("/desk") and path not in OPEN_AT_THE_DESK:
                answer = await surface.call(method, path, by=Caller("", cookies=cookies), json={})
                assert answer.status == 401, (method, path, cookies, answer)
        async with surface.socket(Caller("", cookies=cookies), "/desk/api/ws") as socket:
            assert (await socket.receive_json(timeout=5))["error"]["code"] == "no_session"


async def test_an_agent_s_cookie_by_any_name_is_no_customer(surface: Surface) -> None:
    agent = await surface.agent()
    for cookies in (agent.cookies, {CUSTOMER_COOKIE: agent.token}):
        for method, path in (("GET", "/api/me"), ("POST", "/api/login"), ("POST", "/api/login/verify")):
            answer = await surface.call(method, path, by=Caller("", cookies=cookies), json={})
            assert (answer.status, answer.code) == (401, "no_session"), path
        async with surface.socket(Caller("", cookies=cookies)) as socket:
            assert (await socket.receive_json(timeout=5))["code"] == "no_session"


async def test_a_seat_that_ended_opens_nothing(surface: Surface) -> None:
    ended = await surface.agent("xiaoli")
    surface.clock.advance(seconds=11 * 3600)
    for method, path in surface.routes():
        if path.startswith("/desk") and path not in OPEN_AT_THE_DESK:
            assert (await surface.call(method, path, by=ended, json={})).status == 401, path


async def test_naming_another_customer_s_conversation_shows_and_changes_nothing_of_it(
    surface: Surface,
) -> None:
    theirs = await surface.customer("王二", "13900000002")
    mine = await surface.customer("李三", "13900000003")
    async with surface.socket(theirs) as socket:
        await socket.send_json({"type": "hello", "after_seq": 0})
        await socket.send_json({"type": "say", "client_id": "client-0001", "text": "我的秘密"})
        while (await socket.receive_json(timeout=5))["type"] != "ack":
            pass
    before = await surface.product.hub.history(theirs.conversation_id, 0, 200)
    named = {"conversation_id": theirs.conversation_id}
    heard = []
    async with surface.socket(mine) as socket:
        for frame in (
            {"type": "hello", "after_seq": 0},
            {"type": "say", "client_id": "client-0001", "text": "给我看看"},  # the very id of their message
            {"type": "secret", "client_id": "client-0002", "text": "123456"},
            {"type": "rate", "score": 1, "comment": "差"},
            {"type": "typing"},
            {"type": "ping"},
        ):
            await socket.send_json(frame | named)
        while not heard or heard[-1]["type"] != "pong":
            heard.append(await socket.receive_json(timeout=5))
    assert heard[0] == {"type": "welcome", "conversation_id": mine.conversation_id}
    assert "秘密" not in str(heard) and "给我看看" in str(heard)
    assert await surface.product.hub.history(theirs.conversation_id, 0, 200) == before
    assert (await surface.call("GET", "/api/me", by=mine)).text.find(theirs.conversation_id) < 0


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"Host": "bank.example"}]
)
async def test_figures_and_codes_are_for_this_machine_only_behind_a_proxy_too(
    surface: Surface, headers: dict[str, str]
) -> None:
    for path in ("/metrics", "/dev/sms"):
        assert (await surface.call("GET", path)).status == 200
        assert (await surface.call("GET", path, headers=headers)).status == 404


async def test_the_address_a_proxy_is_reached_by_is_our_own_too(surface: Surface) -> None:
    both = Caller("", cookies=(await surface.agent()).cookies | (await surface.customer()).cookies)
    for path in ("/api/session", "/desk/api/presence"):
        body = {"state": "on_duty"}
        for origin, status in (("https://bank.example", 200), ("http://bank.example", 403)):
            answer = await surface.call("POST", path, by=both, headers={"Origin": origin}, json=body)
            assert answer.status == status, (path, origin)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/session", {}),
        ("/api/login", {"phone": "13900000009", "password": "x"}),
        ("/desk/api/login", {"username": "nobody", "password": "x"}),
    ],
)
async def test_behind_a_proxy_one_address_s_haste_is_not_another_s(
    surface: Surface, path: str, body: dict[str, str]
) -> None:
    surface.clock.advance(seconds=3600)

    async def call_from(address: str) -> int:
        by = await surface.customer() if path == "/api/login" else None
        headers = {"Origin": surface.origin, "X-Forwarded-For": f"spoofed, {address}"}
        return (await surface.call("POST", path, by=by, headers=headers, after_s=0, json=body)).status

    hasty = [await call_from("10.1.1.1") for _ in range(70)]
    assert hasty[0] < 429 and hasty[-1] == 429
    assert await call_from("10.2.2.2") < 429
