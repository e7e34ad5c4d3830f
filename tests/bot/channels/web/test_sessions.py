"""The browser's session: cookie, storage, rotation, expiry."""

from __future__ import annotations

from sqlalchemy import select

from bot.channels.web import WebSession


async def stored(site):
    async with site.deps.db.snapshot() as session:
        rows = list((await session.execute(select(WebSession))).scalars())
        session.expunge_all()
        return rows


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
    async with open_site(secure_cookies=True) as site:
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
    assert [row.conversation_id for row in await stored(site)] == [second["conversation_id"]]


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
