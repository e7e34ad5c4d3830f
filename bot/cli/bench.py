"""`zhanggui bench`: how fast it is."""

from __future__ import annotations

import asyncio
import json

import click

from bot.settings import load_settings


@click.group()
def bench() -> None:
    """测速。"""


@bench.command()
@click.option("--skill", default="account_balance", show_default=True)
@click.option("--users", default=1, show_default=True, type=click.IntRange(1, 200))
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(1, 600))
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def turn(skill: str, users: int, seconds: float, as_json: bool) -> None:
    """整轮对话：真实的 WebSocket、理解服务和数据库。"""
    from bot.evaluation.turns import measure_turns

    report = asyncio.run(
        measure_turns(load_settings(), skill, users, seconds, lambda t: click.echo(t, err=True))
    )
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")
