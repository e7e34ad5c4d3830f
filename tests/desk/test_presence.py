"""Who counts as being at the desk."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from desk.models import DeskAgent


async def _count(world: Any) -> int:
    async with world.db.snapshot() as session:
        return int(await world.desk.on_duty_count(session))


async def _agent_id(world: Any, username: str) -> str:
    async with world.db.snapshot() as session:
        return str(await session.scalar(select(DeskAgent.id).where(DeskAgent.username == username)))


async def test_nobody_is_on_duty_before_the_first_log_in(world: Any) -> None:
    assert await _count(world) == 0


async def test_an_agent_without_a_sign_of_life_is_not_on_duty(world: Any) -> None:
    await world.seated("xiaowang")
    world.clock.advance(seconds=45)
    assert await _count(world) == 1
    world.clock.advance(seconds=1)
    assert await _count(world) == 0


async def test_a_heartbeat_brings_the_agent_back_on_duty(world: Any) -> None:
    await world.seated("xiaowang")
    world.clock.advance(seconds=100)
    async with world.db.transaction() as session:
        await world.desk.heartbeat(session, await _agent_id(world, "xiaowang"))
    assert await _count(world) == 1


@pytest.mark.parametrize("state", ["break", "off"])
async def test_a_break_or_absence_is_not_duty(world: Any, state: str) -> None:
    page = await world.seated("xiaowang")
    await world.seated("xiaoli")
    status, body = await page.post("/presence", {"state": state})
    assert (status, body["agent"]["presence"]) == (200, state)
    assert await _count(world) == 1


async def test_a_heartbeat_does_not_end_a_break(world: Any) -> None:
    page = await world.seated("xiaowang")
    await page.post("/presence", {"state": "break"})
    async with world.db.transaction() as session:
        await world.desk.heartbeat(session, await _agent_id(world, "xiaowang"))
    assert await _count(world) == 0


async def test_logging_out_ends_duty_at_once(world: Any) -> None:
    page = await world.seated("xiaowang")
    await page.post("/logout")
    assert await _count(world) == 0


@pytest.mark.parametrize("state", ["busy", None, 3, ["on_duty"]])
async def test_an_unknown_state_is_refused(world: Any, state: Any) -> None:
    page = await world.seated("xiaowang")
    assert (await page.post("/presence", {"state": state}))[0] == 400
    assert await _count(world) == 1


async def test_a_live_page_is_a_sign_of_life(world: Any) -> None:
    page = await world.seated("xiaowang")
    world.clock.advance(seconds=100)
    assert await _count(world) == 0
    async with page.client.ws_connect("/desk/api/ws", headers={"Origin": page.origin}) as socket:
        while (await socket.receive_json())["type"] != "beat":
            pass
        assert await _count(world) == 1
