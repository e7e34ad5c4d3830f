"""Who works at the desk: taken on, changed and let go by the bank's operator, never by the desk's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.clock import Clock
from desk.errors import AgentInvalid, NotThere
from desk.logins import PASSWORD_CHARS_MAX
from desk.models import LOAD_MAX, AgentSession, DeskAgent
from desk.roles import RIGHTS
from desk.service import Desk

PASSWORD_CHARS_MIN = 10
_USERNAME = re.compile(r"[a-z][a-z0-9_.-]{1,31}")
_NAME_CHARS_MAX = 32


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to become of an agent; None leaves it as it is. `skills`, `languages` and `certifications` are whole
    lists of codes of the bank's rules (section `service`).
    """

    display_name: str | None = None
    role: str | None = None
    team: str | None = None
    max_load: int | None = None
    skills: Sequence[str] | None = None
    languages: Sequence[str] | None = None
    certifications: Sequence[str] | None = None
    active: bool | None = None

    def given(self) -> Mapping[str, Any]:
        """Those that are not None, by column."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {
            name: value if isinstance(value, str | int) else list(value)
            for name, value in pairs
            if value is not None
        }


class Roster:
    """The agents of one desk. Every change is noted in the audit trail of whoever `acting` named."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def agents(self, session: AsyncSession) -> Sequence[DeskAgent]:
        """All of them, those who left too, by user name."""
        return (await session.scalars(select(DeskAgent).order_by(DeskAgent.username))).all()

    async def add(
        self, session: AsyncSession, username: str, display_name: str, password: str, changes: Changes
    ) -> DeskAgent:
        """Takes somebody on. Raises AgentInvalid, also when the user name is taken."""
        if _USERNAME.fullmatch(username) is None:
            raise AgentInvalid("用户名用小写字母开头，2到32位字母、数字、点、横线或下划线。")
        if await session.scalar(select(DeskAgent.id).where(DeskAgent.username == username)) is not None:
            raise AgentInvalid(f"用户名 {username} 已经有人用了。")
        _check_password(password)
        self._check(Changes(display_name=display_name))
        self._check(changes)
        await self._desk.add_agent(session, username, display_name, password)
        return await self._change(session, username, changes, "desk.agent_added")

    async def change(self, session: AsyncSession, username: str, changes: Changes) -> DeskAgent:
        """Changes somebody; who is let go is logged out at once. Raises AgentInvalid or NotThere."""
        self._check(changes)
        return await self._change(session, username, changes, "desk.agent_changed")

    async def set_password(self, session: AsyncSession, username: str, password: str) -> None:
        """A new password; every page of the agent is logged out. Raises AgentInvalid or NotThere."""
        _check_password(password)
        agent = await self._named(session, username)
        agent.password_hash = await self._desk.password_hash(password)
        await self._log_out(session, agent)
        self._note(session, agent, "desk.agent_password_set", {})

    async def _change(self, session: AsyncSession, username: str, changes: Changes, act: str) -> DeskAgent:
        agent = await self._named(session, username)
        given = changes.given()
        for name, value in given.items():
            setattr(agent, name, value)
        if not agent.active:
            await self._log_out(session, agent)
        await session.flush()
        self._note(session, agent, act, given)
        return agent

    async def _named(self, session: AsyncSession, username: str) -> DeskAgent:
        agent = await session.scalar(select(DeskAgent).where(DeskAgent.username == username))
        if agent is None:
            raise NotThere(f"没有用户名是 {username} 的坐席。")
        return agent

    async def _log_out(self, session: AsyncSession, agent: DeskAgent) -> None:
        await session.execute(delete(AgentSession).where(AgentSession.agent_id == agent.id))
        await self._desk.set_presence(session, agent.id, "off")

    def _note(self, session: AsyncSession, agent: DeskAgent, act: str, after: Mapping[str, Any]) -> None:
        note(session, act, at=self._clock.now(), object_kind="agent", object_id=agent.id, after=after)

    def _check(self, changes: Changes) -> None:
        rules = self._desk.matters.rules
        if changes.display_name is not None and not 1 <= len(changes.display_name.strip()) <= _NAME_CHARS_MAX:
            raise AgentInvalid(f"姓名要有1到{_NAME_CHARS_MAX}个字。")
        if changes.team is not None and len(changes.team) > _NAME_CHARS_MAX:
            raise AgentInvalid(f"小组名最多{_NAME_CHARS_MAX}个字。")
        if changes.max_load is not None and not 1 <= changes.max_load <= LOAD_MAX:
            raise AgentInvalid(f"同时接待的客户数是1到{LOAD_MAX}。")
        _known("角色", (changes.role,) if changes.role is not None else (), RIGHTS)
        _known("擅长", changes.skills or (), rules.skills)
        _known("语言", changes.languages or (), rules.languages)
        _known("认证", changes.certifications or (), rules.certifications)


def _known(what: str, codes: Iterable[str], allowed: Iterable[str]) -> None:
    strange = sorted(set(codes) - set(allowed))
    if strange:
        raise AgentInvalid(f"没有这样的{what}：{'、'.join(strange)}。可以用：{'、'.join(sorted(allowed))}。")


def _check_password(password: str) -> None:
    mixed = any(map(str.isalpha, password)) and any(map(str.isdigit, password))
    if not mixed or not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise AgentInvalid(f"密码要有{PASSWORD_CHARS_MIN}到{PASSWORD_CHARS_MAX}位，既有字母也有数字。")
