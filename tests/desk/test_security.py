"""What strangers, other sites and customers' words cannot do."""

from __future__ import annotations

from typing import Any

import pytest

POSTS = [
    "/login",
    "/logout",
    "/presence",
    "/conversations/c1/claim",
    "/conversations/c1/say",
    "/conversations/c1/hand-back",
    "/conversations/c1/close",
    "/conversations/c1/unmask",
    "/conversations/c1/note",
    "/conversations/c1/propose",
    "/conversations/c1/vouch",
    "/conversations/c1/transfer",
    "/conversations/c1/whisper",
    "/conversations/c1/take-over",
    "/replies",
    "/replies/r1",
    "/replies/r1/retire",
    "/replies/r1/restore",
    "/replies/r1/move",
    "/tickets/GD20261015000001/finish",
    "/tickets/GD20261015000001/put-back",
]
FOREIGN = [
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_post_from_elsewhere_is_refused(world: Any, path: str, headers: dict[str, str]) -> None:
    world.hub.add("c1", "转人工")
    page = await world.seated("xiaowang")
    status, body = await page.post(path, {"state": "off"}, headers=headers)
    assert (status, body["error"]["code"]) == (403, "cross_site")
    assert world.hub.conversations["c1"].owner == "queue"
    assert (await page.get("/me"))[1]["agent"]["presence"] == "on_duty"


async def test_our_origin_with_a_foreign_fetch_site_is_refused(world: Any) -> None:
    page = await world.seated("xiaowang")
    headers = {"Origin": page.origin, "Sec-Fetch-Site": "cross-site"}
    assert (await page.post("/presence", {"state": "off"}, headers=headers))[0] == 403


async def test_a_form_is_not_json(world: Any) -> None:
    page = await world.seated("xiaowang")
    headers = {"Origin": page.origin}
    async with page.client.post("/desk/api/presence", data={"state": "off"}, headers=headers) as response:
        assert response.status == 400


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_socket_from_elsewhere_is_refused(world: Any, headers: dict[str, str]) -> None:
    page = await world.seated("xiaowang")
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }
    async with page.client.get("/desk/api/ws", headers=upgrade | headers) as response:
        assert response.status == 403


@pytest.mark.parametrize("path", ["/desk/", "/desk/static/desk.css", "/desk/api/me", "/desk/nothing/here"])
async def test_every_answer_carries_the_security_headers(world: Any, path: str) -> None:
    page = world.page()
    async with page.client.get(path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"


async def test_personal_data_is_not_kept_by_caches(world: Any) -> None:
    page = await world.seated("xiaowang")
    async with page.client.get("/desk/api/queue") as response:
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["..%2fapp.py", "%2e%2e%2fmodels.py", "nothing.js"])
async def test_only_the_page_s_files_are_served(world: Any, name: str) -> None:
    async with world.page().client.get(f"/desk/static/{name}") as response:
        assert response.status == 404
        assert "import" not in await response.text()


async def test_the_page_is_reached_without_its_slash_too(world: Any) -> None:
    async with world.page().client.get("/desk") as response:
        assert response.status == 200
        assert str(response.url.path) == "/desk/"


async def test_a_fault_shows_no_trace(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise RuntimeError("SELECT secret FROM everything")

    page = await world.seated("xiaowang")
    monkeypatch.setattr(world.hub, "queue", broken)
    status, body = await page.get("/queue")
    assert (status, body["error"]["code"]) == (500, "unavailable")
    assert "SELECT" not in str(body)
