"""The browser's session: cookie, storage, rotation, expiry."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from banking_core.identity import BankSession, LoginDone
from bot.channels.web.devices import device_name
from bot.channels.web.models import WebVisit
from bot.surfaces.origin import Trust
from tests.bot.channels.web.conftest import PHONE


async def stored(site):
    async with site.deps.db.snapshot() as session:
        return list(await session.scalars(select(BankSession)))


async def conversations(site):
    async with site.deps.db.snapshot() as session:
        return list(await session.scalars(select(WebVisit.conversation_id)))


async def test_a_first_visit_gets_a_session_and_a_conversation_at_once(site):
    visitor = site.visitor()

    me = await visitor.arrive()

    assert me["authenticated"] is False
    assert list(site.hub.talks) == [me["conversation_id"]]


async def test_a_second_visit_keeps_session_and_conversation(site):
    visitor = site.visitor()
    first = await visitor.arrive()
    token = visitor.cookie()

    second = await visitor.arrive()

    assert second["conversation_id"] == first["conversation_id"]
    assert visitor.cookie() == token


async def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(open_site):
    async with open_site(trust=Trust(secure=True)) as site:
        visitor = site.visitor()
        async with visitor.http.post("/api/session", headers={"Origin": visitor.origin}) as answer:
            cookie = answer.cookies["zg_session"]
            assert answer.headers["Strict-Transport-Security"]

    assert cookie["httponly"] and cookie["secure"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"


async def test_the_token_itself_is_nowhere_in_the_database(site, tmp_path):
    visitor = site.visitor()
    await visitor.arrive()

    token = visitor.cookie()
    [row] = await stored(site)

    assert len(token) >= 43  # 256 bits in base64
    assert row.token_hash != token
    for file in tmp_path.glob("web.db*"):
        assert token.encode() not in file.read_bytes()


async def test_an_expired_session_opens_nothing_and_its_row_is_cleared_away(site):
    visitor, stranger = site.visitor(), site.visitor()
    first = await visitor.arrive()
    token = visitor.cookie()
    site.clock.advance(seconds=site.deps.session_ttl_h * 3600)
    visitor.put_cookie(token)

    async with visitor.http.get("/api/me") as answer:
        assert answer.status == 401
        assert "失效" in (await answer.json())["error"]["text"]
    second = await stranger.arrive()

    assert second["conversation_id"] != first["conversation_id"]
    assert len(await stored(site)) == 1
    assert await conversations(site) == [second["conversation_id"]]


async def test_a_made_up_cookie_is_nobody(site):
    visitor = site.visitor()
    for token in ("x", "x" * 5000, "ünicode", "' OR 1=1 --"):
        visitor.put_cookie(token)
        async with visitor.http.get("/api/me") as answer:
            assert answer.status == 401


async def test_logging_out_ends_the_session_and_hides_the_old_talk(site):
    visitor = site.visitor()
    before = await visitor.arrive()
    await visitor.log_in()
    token = visitor.cookie()
    socket = await visitor.connect()
    await socket.hello()

    status, _ = await visitor.post("/api/logout")
    after = await visitor.arrive()

    assert status == 200
    assert after["authenticated"] is False
    assert after["conversation_id"] != before["conversation_id"]
    assert await socket.closed_with() == 4001
    visitor.put_cookie(token)
    async with visitor.http.get("/api/me") as answer:
        assert answer.status == 401


async def test_logging_out_twice_is_fine(site):
    visitor = site.visitor()
    await visitor.arrive()

    assert [(await visitor.post("/api/logout"))[0] for _ in range(2)] == [200, 200]


async def test_a_log_in_ends_after_idle_time_though_the_page_stays_open(site):
    visitor = site.visitor()
    await visitor.arrive()
    await visitor.log_in()
    socket = await visitor.connect()
    await socket.hello()
    site.clock.advance(seconds=20 * 60)
    await socket.say("你好")
    await socket.until("ack")
    site.clock.advance(seconds=20 * 60)
    await socket.settle()  # what the page sends of its own accord is no use
    site.clock.advance(seconds=10 * 60)
    await socket.say("还在吗", "client-0002")

    assert await socket.closed_with() == 4401
    assert [inbound.text for inbound in site.hub.inbound] == ["你好"]


async def test_a_log_in_inside_the_chat_makes_the_session_a_log_in_and_the_page_gets_a_new_token(site):
    visitor, thief = site.visitor(), site.visitor()
    me = await visitor.arrive()
    before = visitor.cookie()
    thief.put_cookie(before)  # copied before the log-in, on a shared computer for instance
    socket = await visitor.connect()
    await socket.hello()

    async def log_in():
        async with site.deps.db.transaction() as session:
            done = LoginDone(site.people[PHONE], None, "密码+短信验证码")
            origin = site.hub.inbound[-1].origin
            assert await site.bank.identity.sessions.log_in(session, origin.session_id, done)
        site.hub.talks[me["conversation_id"]].customer_id = site.people[PHONE]

    site.hub.before_turn = log_in
    await socket.say("246810", kind="secret")
    await socket.until("ack")
    assert (await visitor.arrive())["authenticated"] is True

    assert visitor.cookie() != before
    async with thief.http.get("/api/me") as answer:
        assert answer.status == 401
    await socket.settle()  # the page's own line stays up


async def test_the_browser_has_a_lasting_pseudonym_the_bank_sees_only_hashed(site):
    visitor = site.visitor()
    await visitor.arrive()
    cookies = visitor.http.session.cookie_jar.filter_cookies(site.server.make_url("/"))
    token = cookies["zg_device"].value
    await visitor.log_in()
    await visitor.post("/api/logout")
    await visitor.arrive()
    again = visitor.http.session.cookie_jar.filter_cookies(site.server.make_url("/"))["zg_device"].value

    async with site.deps.db.snapshot() as session:
        [device] = await site.bank.identity.devices.bound(session, site.people[PHONE])
    assert again == token
    assert token not in device.key and len(device.key) == 64


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("", "未知设备"),
        ("curl/8", "未知设备"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36", "Chrome · Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge · Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1", "Safari · Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0", "微信 · iPhone"),
        ("Mozilla/5.0 (Linux; Android 14; HarmonyOS) HuaweiBrowser/15 Chrome/114", "华为浏览器 · 鸿蒙"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36", "Chrome · 安卓"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox · Linux"),
    ],
)
def test_a_device_has_the_name_its_owner_would_give_it(agent, name):
    assert device_name(agent) == name
