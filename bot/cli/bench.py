"""`zhanggui bench`: how fast it is."""

from __future__ import annotations

import json
import sys

import click

from bot.cli.failures import run_async, settings_or_exit

BENCH_SKILLS = ("account_balance", "account_list", "statement_search", "payee_list")


@click.group()
def bench() -> None:
    """测速。"""


@bench.command()
@click.option("--skill", default="account_balance", show_default=True, type=click.Choice(BENCH_SKILLS))
@click.option("--users", default=1, show_default=True, type=click.IntRange(1, 200))
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(1, 600))
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def turn(skill: str, users: int, seconds: float, as_json: bool) -> None:
    """整轮对话：真实的 WebSocket、理解服务和数据库。"""
    from bot.evaluation.turns import measure_turns

    report = run_async(
        measure_turns(settings_or_exit(), skill, users, seconds, lambda t: click.echo(t, err=True))
    )
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")


@bench.command()
@click.option("--db", "url", default=None, help="服务器的 SQLAlchemy URL；不填就临时启动一个 PostgreSQL")
@click.option("--accounts", default=50, show_default=True, type=click.IntRange(2, 10_000))
@click.option("--workers", default=64, show_default=True, type=click.IntRange(1, 1000))
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(1, 600))
@click.option(
    "--pgbench-scale",
    "scale",
    default=None,
    type=click.IntRange(1, 1000),
    help="不填：分行数等于账户数，最多 50",
)
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def ledger(
    url: str | None, accounts: int, workers: int, seconds: float, scale: int | None, as_json: bool
) -> None:
    """账本：每秒多少笔落盘的转账，同一台 PostgreSQL 上与 pgbench 相比。"""
    from bot.evaluation.ledger_speed import Task, measure_ledger

    task = Task(accounts, workers, seconds, scale)
    report = run_async(measure_ledger(url, task, lambda line: click.echo(line, err=True)))
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")


@bench.command()
@click.option("--calls", default=1, show_default=True, type=click.IntRange(1, 200))
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(1, 600))
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def calls(calls: int, seconds: float, as_json: bool) -> None:
    """电话：同时打进来的 SIP 通话，说完到听见回答要多久，声音有没有断。"""
    from bot.evaluation.callers import LogInFailed
    from bot.evaluation.calls import measure_calls

    try:
        report = run_async(
            measure_calls(settings_or_exit(), calls, seconds, lambda line: click.echo(line, err=True))
        )
    except LogInFailed as error:
        raise click.ClickException(f"有来电没能登录，这次没有测：{error}") from error
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")


@bench.command()
@click.option("--orders", default=2000, show_default=True, type=click.IntRange(100, 1_000_000))
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def risk(orders: int, as_json: bool) -> None:
    """风控：判一笔要多久，在没见过的一个月上有多准。"""
    from banking_core.risk.simulation.world import Plan
    from bot.evaluation.risk_speed import measure_risk

    report = run_async(measure_risk(orders, Plan(), lambda line: click.echo(line, err=True)))
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")


@bench.command()
@click.option("--rounds", default=50, show_default=True, type=click.IntRange(5, 10_000))
@click.option("--model", default="", help="模型；默认用设置里的 voiceprint_model")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def voiceprint(rounds: int, model: str, as_json: bool) -> None:
    """声纹：核验一次（4 秒语音）在一个核上要几毫秒，占多少内存。"""
    from bot.channels.phone.errors import PhoneError
    from bot.evaluation.voiceprint import measure_speed

    try:
        report = measure_speed(
            model or settings_or_exit().voiceprint_model, rounds, lambda line: click.echo(line, err=True)
        )
    except PhoneError as error:
        click.echo(f"没有成功：声纹模型用不了（{error}），请检查 ZHANGGUI_VOICEPRINT_MODEL。", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")
