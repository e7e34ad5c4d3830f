"""Logging in, being locked out, and the cookie."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from desk import DEMO_PASSWORD
from desk.models import AgentSession, DeskAgent


async def test_a_right_password_opens_the_desk(world: Any) -> None:
    page = world.page()
    status, body = await page.login("xiaowang")
    assert status == 200
    assert body["agent"]["display_name"] == "小王"
    assert body["agent"]["presence"] == "on_duty"
    assert (await page.get("/me"))[0] == 200


async def test_without_a_session_every_door_is_closed(world: Any) -> None:
    page = world.page()
    world.hub.add("c1", "在吗")
    for path in ("/me", "/queue", "/mine", "/tickets", "/conversations/c1"):
        assert (await page.get(path))[0] == 401, path
    for path in ("/presence", "/conversations/c1/claim", "/conversations/c1/say", "/tickets/GD1/phone"):
        assert (await page.post(path))[0] == 401, path


async def test_five_wrong_passwords_lock_the_name_even_for_the_right_one(world: Any) -> None:
    page = world.page()
    answers = [await page.login("xiaowang", f"wrong{i}") for i in range(5)]
    assert [body["error"].get("tries_left") for _, body in answers[:4]] == [4, 3, 2, 1]
    assert answers[4][0] == 423
    status, body = await page.login("xiaowang")
    assert (status, body["error"]["code"]) == (423, "login_locked")
    assert "10:05" in body["error"]["text"]
    world.clock.advance(seconds=301)
    assert (await page.login("xiaowang"))[0] == 200


async def test_a_second_lock_out_lasts_twice_as_long(world: Any) -> None:
    for locked_s in (300, 600):
        outcome = None
        for _ in range(5):
            outcome = await world.desk.login(world.db, "xiaoli", "nope")
        assert outcome is not None and outcome.locked_until is not None
        assert (outcome.locked_until - world.clock.now()).total_seconds() == locked_s
        world.clock.advance(seconds=locked_s + 1)


async def test_a_right_password_forgets_the_wrong_ones(world: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            assert (await world.desk.login(world.db, "xiaoli", "nope")).kind == "wrong"
        assert (await world.desk.login(world.db, "xiaoli", DEMO_PASSWORD)).kind == "ok"


async def test_an_unknown_name_looks_like_a_known_one(world: Any) -> None:
    page = world.page()
    known = [await page.login("xiaowang", "nope") for _ in range(5)]
    world.clock.advance(seconds=120)
    unknown = [await page.login("nobody", "nope") for _ in range(5)]
    assert [status for status, _ in unknown] == [status for status, _ in known] == [401] * 4 + [423]
    assert [body for _, body in unknown][:4] == [body for _, body in known][:4]


async def test_another_name_is_not_locked_by_its_neighbour(world: Any) -> None:
    for _ in range(5):
        await world.desk.login(world.db, "xiaowang", "nope")
    assert (await world.desk.login(world.db, "xiaoli", DEMO_PASSWORD)).kind == "ok"


async def test_logging_in_rotates_the_cookie_and_ends_the_older_seat(world: Any) -> None:
    first = await world.seated("xiaowang")
    old = first.token()
    second = await world.seated("xiaowang")
    assert second.token() != old
    assert (await first.get("/me"))[0] == 401
    assert (await second.get("/me"))[0] == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: Any) -> None:
    page = world.page()
    body = {"username": "xiaowang", "password": DEMO_PASSWORD}
    async with page.client.post("/desk/api/login", json=body, headers={"Origin": page.origin}) as response:
        cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("zg_desk=")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/desk", "Max-Age=36000"):
        assert part in cookie


async def test_the_table_holds_neither_password_nor_token(world: Any) -> None:
    page = await world.seated("xiaowang")
    async with world.db.snapshot() as session:
        hashes = set(await session.scalars(select(AgentSession.token_hash)))
        passwords = set(await session.scalars(select(DeskAgent.password_hash)))
    assert page.token() not in hashes
    assert all(value.startswith("$argon2id$") for value in passwords) and len(passwords) == 4


async def test_a_session_ends_after_its_time(world: Any) -> None:
    page = await world.seated("xiaowang")
    world.clock.advance(seconds=10 * 3600 + 1)
    assert (await page.get("/me"))[0] == 401


async def test_logging_out_ends_the_session_and_may_be_repeated(world: Any) -> None:
    page = await world.seated("xiaowang")
    assert (await page.post("/logout"))[0] == 200
    assert (await page.get("/me"))[0] == 401
    assert (await page.post("/logout"))[0] == 200


async def test_an_agent_who_left_the_bank_cannot_go_on(world: Any) -> None:
    page = await world.seated("xiaowang")
    async with world.db.transaction() as session:
        agent = await session.scalar(select(DeskAgent).where(DeskAgent.username == "xiaowang"))
        agent.active = False
    assert (await page.get("/me"))[0] == 401
    assert (await page.login("xiaowang"))[0] == 401


async def test_a_second_seed_changes_nothing(world: Any) -> None:
    async with world.db.snapshot() as session:
        before = list(await session.execute(select(DeskAgent.id, DeskAgent.password_hash)))
    async with world.db.transaction() as session:
        await world.desk.seed_demo_agents(session)
        after = list(await session.execute(select(DeskAgent.id, DeskAgent.password_hash)))
    assert sorted(before) == sorted(after)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "xiaowang"},
        {"username": 5, "password": "x"},
        {"username": "xiaowang", "password": ["x"]},
        {"username": "x\0y", "password": "x"},
        {"username": "xiaowang", "password": "x" * 10_000},
        [1, 2],
    ],
)
async def test_a_broken_log_in_is_a_bad_request(world: Any, body: Any) -> None:
    status, answer = await world.page().post("/login", body)
    assert (status, answer["error"]["code"]) == (400, "bad_request")


async def test_guessing_from_one_address_is_slowed_down(world: Any) -> None:
    page = world.page()
    statuses = [(await page.login(f"guess{i}", "x"))[0] for i in range(21)]
    assert statuses[:20] == [401] * 20
    assert statuses[20] == 429
    world.clock.advance(seconds=4)
    assert (await page.login("xiaowang"))[0] == 200
