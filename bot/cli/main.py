"""`zhanggui`: run, chat, eval, bench, ledger, doctor. Commands import what they need, so that `--help` is quick."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Coroutine
from typing import Any

import click

from bot.cli.bench import bench
from bot.cli.evaluate import evaluate
from bot.settings import SettingsError, load_settings


@click.group()
def cli() -> None:
    """掌柜：可以对话的银行柜台。"""


cli.add_command(evaluate)
cli.add_command(bench)


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs a coroutine; a typed refusal to start becomes one sentence and exit code 2."""
    from bot.running.errors import StartError

    try:
        return asyncio.run(work)
    except (StartError, SettingsError) as error:
        click.echo(f"启动失败：{error}", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"启动失败：{error.strerror or error}（请检查磁盘空间和目录权限）", err=True)
        sys.exit(2)


@cli.command()
def run() -> None:
    """训练（如有变化）、准备演示银行、启动全部服务。"""
    from bot.running.launcher import run as launch

    settings = _settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    run_async(launch(settings, click.echo))


@cli.command()
@click.option("--as", "phone", default=None, help="演示客户的手机号，直接以他的身份说话")
def chat(phone: str | None) -> None:
    """在终端里和小掌柜说话。"""
    from bot.cli.chat import chat_loop

    run_async(chat_loop(_settings(), phone))


@cli.command()
def serve() -> None:
    """只启动网页服务（理解服务要已经在运行）。"""
    from bot.running.standalone import serve_forever

    settings = _settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    run_async(serve_forever(settings))


@cli.command()
def train() -> None:
    """训练理解模型；没有变化就跳过。"""
    from bot.running.errors import StartError
    from bot.running.nlu_service import train_if_needed

    try:
        train_if_needed(_settings().nlu_model_dir, click.echo)
    except StartError as error:
        click.echo(f"训练失败：{error}", err=True)
        sys.exit(2)


@cli.command()
def migrate() -> None:
    """把数据库升级到最新的表结构。"""
    from migrations.runner import upgrade

    run_async(upgrade(_settings().database_url))


@cli.group()
def ledger() -> None:
    """账本。"""


@ledger.command()
def verify() -> None:
    """逐笔核对账本：哈希链、余额、试算平衡。"""
    from bot.cli.ledger import verify_ledger

    sys.exit(0 if run_async(verify_ledger(_settings())) else 1)


@cli.command()
def doctor() -> None:
    """检查安装，说清楚哪里不对。"""
    from bot.cli.doctor import examine

    sys.exit(0 if examine(_settings()) else 1)


@cli.command()
def settings() -> None:
    """列出每一项设置。"""
    from bot.settings import Settings

    for name, field in Settings.model_fields.items():
        click.echo(f"ZHANGGUI_{name.upper()}  （默认 {field.default!r}）\n    {field.description}")


def _settings() -> Any:
    try:
        return load_settings()
    except SettingsError as error:
        click.echo(f"设置有误：{error}", err=True)
        sys.exit(2)


def main() -> None:
    """Entry point of the `zhanggui` command."""
    cli(prog_name="zhanggui")
