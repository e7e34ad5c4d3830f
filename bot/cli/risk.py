"""`zhanggui risk`: the model of the risk area."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from bot.cli.failures import explain

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
