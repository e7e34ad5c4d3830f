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
from banking_core.vault import KeyRingInvalid, KeyUnknown, Vault, VaultError
from bot.evaluation.public_sets import MeasuringFailed
from bot.evaluation.script import ScriptError
from bot.running.errors import StartError
from bot.settings import Settings, SettingsError, load_settings

T = TypeVar("T")

EXPECTED = (
    StartError,
    SettingsError,
    BankError,
    VaultError,
    ScriptError,
    MeasuringFailed,
    DBAPIError,
    OSError,
    UnicodeDecodeError,
)
_FULL = "磁盘满了，请腾出空间再试。"


def explain(error: BaseException) -> str:
    """What went wrong and what to do, for one of `EXPECTED`."""
    if isinstance(error, StartError | SettingsError | ScriptError):
        return str(error)
    if isinstance(error, MeasuringFailed):
        return f"测量中断，请检查数据目录：{error}"
    if isinstance(error, BankError):
        return f"{error}（{error.code}）。"
    if isinstance(error, VaultError):
        return _explain_vault(error)
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


def _explain_vault(error: VaultError) -> str:
    if isinstance(error, KeyRingInvalid) and error.ring == "voice":
        advice = (
            "请检查 ZHANGGUI_VOICE_KEY_FILE；还没有密钥文件时用“zhanggui keys init --ring voice 文件”生成，"
            "丢了的只能重新生成，声纹要重新录。"
        )
        return f"声纹的密钥有问题（{error.code}：{error}）。{advice}"
    if isinstance(error, KeyRingInvalid):
        advice = "请检查 ZHANGGUI_KEY_FILE；还没有密钥文件时用“zhanggui keys init 文件”生成。"
    elif isinstance(error, KeyUnknown):
        advice = "这把密钥不在密钥文件里，请换回这个数据库原来的密钥文件。"
    else:
        advice = "请确认密钥文件是这个数据库的，数据没有被人改过。"
    return f"个人资料的密钥有问题（{error.code}：{error}）。{advice}"


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


def vault_or_exit(settings: Settings) -> Vault:
    """The vault of personal data, or one sentence and exit code 2."""
    try:
        return settings.open_vault()
    except EXPECTED as error:
        click.echo(f"没有成功：{explain(error)}", err=True)
        sys.exit(2)
