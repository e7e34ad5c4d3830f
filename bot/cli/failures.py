"""One Chinese sentence for whatever keeps a command from working; the operator never sees a stack trace."""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import click
from sqlalchemy.exc import DBAPIError

from banking_core.errors import BankError
from bot.evaluation.script import ScriptError
from bot.running.errors import StartError
from bot.settings import Settings, SettingsError, load_settings

T = TypeVar("T")

EXPECTED = (StartError, SettingsError, BankError, ScriptError, DBAPIError, OSError, UnicodeDecodeError)
_FULL = "磁盘满了，请腾出空间再试。"


def explain(error: BaseException) -> str:
    """What went wrong and what to do, for one of `EXPECTED`."""
    if isinstance(error, StartError | SettingsError | ScriptError):
        return str(error)
    if isinstance(error, BankError):
        return f"{error}（{error.code}）。"
    if isinstance(error, UnicodeDecodeError):
        return "文件不是 UTF-8 编码的文本，请转换后再试。"
    if isinstance(error, DBAPIError):
        reason = str(error.orig)
        return (
            _FULL if "disk is full" in reason or "No space left" in reason else f"数据库出了问题：{reason}。"
        )
    assert isinstance(error, OSError)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _FULL
    if isinstance(error, ConnectionError):
        return "连不上数据库，请检查它是否在运行，以及 ZHANGGUI_DATABASE_URL。"
    place = f"（{error.filename}）" if error.filename else ""
    return f"{error.strerror or error}{place}，请检查目录权限和磁盘空间。"


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work; what can be expected to go wrong becomes one sentence and exit code 2."""
    try:
        return asyncio.run(work)
    except EXPECTED as error:
        click.echo(f"没有成功：{explain(error)}", err=True)
        sys.exit(2)


def settings_or_exit() -> Settings:
    """The settings in force, or one sentence and exit code 2."""
    try:
        return load_settings()
    except EXPECTED as error:
        click.echo(f"设置有误：{explain(error)}", err=True)
        sys.exit(2)
