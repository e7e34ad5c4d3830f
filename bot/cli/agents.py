"""`zhanggui agents`: takes agents on, changes what they may do, lets them go."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from bot.cli.failures import run_async, settings_or_exit

_OPTIONS = (
    click.option("--role", help="agent 坐席、senior 资深坐席、supervisor 主管、auditor 审计"),
    click.option("--team", help="小组，比如 信贷组"),
    click.option("--load", "max_load", type=int, help="同时最多接待几位客户"),
    click.option("--skill", "skills", multiple=True, help="擅长的业务，可以写几次，比如 loans；none 是清空"),
    click.option("--language", "languages", multiple=True, help="能说的语言，可以写几次，比如 zh"),
    click.option(
        "--certification", "certifications", multiple=True, help="持有的认证，比如 anti_fraud；none 是清空"
    ),
)
_LISTS = ("skills", "languages", "certifications")
_EMPTY = "none"


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Only what was written; `none` empties a list."""
    lists = {name: [code for code in options[name] if code != _EMPTY] for name in _LISTS if options[name]}
    return {
        name: value for name, value in options.items() if name not in _LISTS and value is not None
    } | lists


@click.group()
def agents() -> None:
    """坐席台的人：添加、修改、停用、换密码。"""


@agents.command("list")
def list_() -> None:
    """每人一行：角色、小组、擅长、认证。"""
    from bot.cli.roster import list_agents

    sys.exit(0 if run_async(list_agents(settings_or_exit())) else 1)


@agents.command()
@click.argument("username", metavar="用户名")
@click.argument("name", metavar="姓名")
@click.password_option(prompt="密码", confirmation_prompt="再输一次", help="不写就会问，不留在命令历史里")
@_options
def add(username: str, name: str, password: str, **options: Any) -> None:
    """添加一位坐席。"""
    from bot.cli.roster import add_agent
    from desk.roster import Changes

    done = run_async(add_agent(settings_or_exit(), username, name, password, Changes(**_given(options))))
    sys.exit(0 if done else 1)


@agents.command("set")
@click.argument("username", metavar="用户名")
@click.option("--name", "display_name", help="姓名")
@click.option("--active/--gone", "active", default=None, help="在职；离职（马上退出登录）")
@_options
def set_(username: str, **options: Any) -> None:
    """修改一位坐席；没有写的保持不变。"""
    from bot.cli.roster import change_agent
    from desk.roster import Changes

    done = run_async(change_agent(settings_or_exit(), username, Changes(**_given(options))))
    sys.exit(0 if done else 1)


@agents.command()
@click.argument("username", metavar="用户名")
@click.password_option(prompt="新密码", confirmation_prompt="再输一次", help="不写就会问，不留在命令历史里")
def password(username: str, password: str) -> None:
    """换密码，并退出这位坐席的所有页面。"""
    from bot.cli.roster import set_password

    sys.exit(0 if run_async(set_password(settings_or_exit(), username, password)) else 1)
