"""`zhanggui risk`: the model and the rules, as an operator works with them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from bot.cli.failures import explain, run_async, settings_or_exit

PRINTED = ("auc", "recall_at_1pct_fpr", "calibration_error", "orders", "frauds", "recall_by_pattern")


@click.group()
def risk() -> None:
    """风控。"""


@risk.command()
@click.option("--customers", default=None, type=click.IntRange(50, 100_000), help="生成多少位客户")
@click.option("--months", default=None, type=click.IntRange(4, 24), help="多少个月；最后一个月只用来评分")
@click.option("--frauds-per-month", default=None, type=click.IntRange(10, 10_000), help="每月多少起欺诈")
@click.option("--seed", default=None, type=click.IntRange(0), help="随机种子")
@click.option(
    "--out",
    default=None,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="写到这个目录；不填就替换程序自带的模型",
)
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def train(
    customers: int | None,
    months: int | None,
    frauds_per_month: int | None,
    seed: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """在生成的历史上训练风控模型，并在留出的一个月上评分（约一分钟）。"""
    from banking_core.risk.model import WEIGHTS_PATH
    from banking_core.risk.simulation.world import Plan
    from banking_core.risk.train import train_and_save

    given = {"customers": customers, "months": months, "frauds_per_month": frauds_per_month, "seed": seed}
    plan = Plan(**{name: value for name, value in given.items() if value is not None})
    try:
        metrics = train_and_save(plan, out or WEIGHTS_PATH.parent, lambda text: click.echo(text, err=True))
    except OSError as error:
        click.echo(f"训练失败：{explain(error)}", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps(metrics, ensure_ascii=False))
        return
    for key in PRINTED:
        click.echo(f"{key}: {metrics[key]}")


@risk.command()
@click.option(
    "--rules",
    "path",
    default=None,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="一份还没上线的规则；不填就用自带的",
)
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def judge(path: Path | None, as_json: bool) -> None:
    """在生成的、没训练过的一个月上，看模型有多准，每条规则碰到多少笔（约一分钟）。"""
    from banking_core.risk.errors import RiskConfigurationError
    from bot.cli.risk_reports import judged, judged_lines

    try:
        report = judged(path)
    except RiskConfigurationError as error:
        click.echo(f"规则不能用：{error}", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for line in judged_lines(report):
        click.echo(line)


@risk.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650))
def shadow(days: int) -> None:
    """影子规则在真实业务里碰到多少笔，当时实际怎么办的。"""
    from bot.cli.risk_reports import shadow_lines

    for line in run_async(shadow_lines(settings_or_exit(), days)):
        click.echo(line)


@risk.command()
@click.argument("number")
def why(number: str) -> None:
    """一笔业务（业务编号）每次是怎么判的，为什么。"""
    from bot.cli.risk_reports import why_lines

    lines = run_async(why_lines(settings_or_exit(), number))
    if not lines:
        click.echo("没有这笔业务，或者没有判过。", err=True)
        sys.exit(1)
    for line in lines:
        click.echo(line)
