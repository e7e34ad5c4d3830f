"""`zhanggui agents`: the operator says who works at the desk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from banking_core.audit import AuditRecord
from banking_core.clock import SystemClock
from banking_core.storage import Database
from bot.cli.main import cli
from bot.settings import Settings, load_settings
from desk.models import AgentSession, DeskAgent
from desk.service import Desk
from migrations import upgrade

PASSWORD = "Counter2026"


@pytest.fixture
async def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A bank without anybody at its desk."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ZHANGGUI_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZHANGGUI_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings()
    await upgrade(settings.database_url)
    return settings


async def command(*words: str) -> tuple[int, str]:
    """Exit code and what was said, wherever."""
    result = await asyncio.to_thread(CliRunner().invoke, cli, ["agents", *words])
    return result.exit_code, result.output


async def test_an_agent_is_taken_on_changed_and_let_go_and_each_step_is_noted(settings: Settings) -> None:
    added = await command(
        "add", "xiaozhao", "小赵", "--password", PASSWORD, "--team", "信贷组", "--skill", "loans"
    )
    assert added[0] == 0 and "小赵" in added[1] and PASSWORD not in added[1]
    assert (await command("set", "xiaozhao", "--certification", "anti_fraud", "--load", "3"))[0] == 0
    assert (await command("set", "xiaozhao", "--skill", "none"))[0] == 0
    database = Database(settings.database_url, vault=settings.open_vault())
    desk = Desk(SystemClock())
    assert (await desk.login(database, "xiaozhao", PASSWORD)).seat is not None
    assert (await command("set", "xiaozhao", "--gone"))[0] == 0
    assert (await desk.login(database, "xiaozhao", PASSWORD)).seat is None
    async with database.transaction() as session:
        agent = (await session.scalars(select(DeskAgent))).one()
        assert (agent.team, agent.max_load, agent.skills) == ("信贷组", 3, [])
        assert (agent.certifications, agent.active, agent.role) == (["anti_fraud"], False, "agent")
        assert (await session.scalars(select(AgentSession))).all() == []
        acts = (
            await session.scalars(select(AuditRecord.action).where(AuditRecord.actor_kind == "operator"))
        ).all()
    await database.close()
    assert acts == ["desk.agent_added", *(["desk.agent_changed"] * 3)]
    assert "已停用" in (await command("list"))[1]


async def test_a_new_password_ends_every_page_of_the_agent(settings: Settings) -> None:
    await command("add", "xiaozhao", "小赵", "--password", PASSWORD)
    database = Database(settings.database_url, vault=settings.open_vault())
    desk = Desk(SystemClock())
    seat = (await desk.login(database, "xiaozhao", PASSWORD)).seat
    assert seat is not None
    assert (await command("password", "xiaozhao", "--password", "Another2027"))[0] == 0
    async with database.transaction() as session:
        assert await desk.seat_now(session, seat) is None
    assert (await desk.login(database, "xiaozhao", PASSWORD)).seat is None
    assert (await desk.login(database, "xiaozhao", "Another2027")).seat is not None
    await database.close()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "Xiao Zhao", "小赵", "--password", PASSWORD), "用户名"),
        (("add", "xiaozhao", "", "--password", PASSWORD), "姓名"),
        (("add", "xiaozhao", "小赵", "--password", "short1"), "密码"),
        (("add", "xiaozhao", "小赵", "--password", "onlyletters"), "密码"),
        (("add", "xiaozhao", "小赵", "--password", PASSWORD, "--role", "king"), "角色"),
        (("add", "xiaozhao", "小赵", "--password", PASSWORD, "--load", "0"), "客户数"),
        (("add", "xiaozhao", "小赵", "--password", PASSWORD, "--certification", "magic"), "anti_fraud"),
        (("set", "nobody", "--team", "信贷组"), "nobody"),
        (("password", "nobody", "--password", PASSWORD), "nobody"),
    ],
)
async def test_what_cannot_be_is_said_and_nobody_is_taken_on(
    settings: Settings, words: tuple[str, ...], says: str
) -> None:
    code, said = await command(*words)
    assert code == 1 and says in said and "Traceback" not in said
    assert "还没有人" in (await command("list"))[1]


async def test_a_user_name_is_given_once(settings: Settings) -> None:
    assert (await command("add", "xiaozhao", "小赵", "--password", PASSWORD))[0] == 0
    code, said = await command("add", "xiaozhao", "别人", "--password", PASSWORD)
    assert code == 1 and "已经有人用了" in said
    assert "别人" not in (await command("list"))[1]
