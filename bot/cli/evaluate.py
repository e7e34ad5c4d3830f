"""`zhanggui eval`: intents, answers, scripted conversations."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from bot.cli.failures import run_async, settings_or_exit


@click.group("eval")
def evaluate() -> None:
    """测量：理解、回答、整段对话。"""


def _quietly(text: str) -> None:
    click.echo(text, err=True)


@evaluate.command("intents")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def intents(file: Path, as_json: bool) -> None:
    """FILE.tsv：每行“句子 TAB 意图[|意图…]”。"""
    from bot.evaluation.intents import measure_intents
    from bot.evaluation.services import understanding_service

    settings = settings_or_exit()

    async def work() -> dict[str, object]:
        async with understanding_service(settings, _quietly) as understander:
            return await measure_intents(file, understander)

    report = run_async(work())
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")


@evaluate.command("answer")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def answer(file: Path, out: Path, as_json: bool) -> None:
    """FILE.txt：每行是一位陌生访客的第一句话。"""
    from bot.evaluation.answers import measure_answers
    from bot.evaluation.services import understanding_service

    settings = settings_or_exit()

    async def work() -> dict[str, object]:
        async with understanding_service(settings, _quietly) as understander:
            return await measure_answers(file, out, understander)

    report = run_async(work())
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else f"{report}")


@evaluate.command("converse")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
@click.option("--show", is_flag=True, help="把对话也打印出来")
def converse(file: Path, as_json: bool, show: bool) -> None:
    """FILE.yml：照剧本演一遍，逐句核对。"""
    from bot.evaluation.converse import MOMENT, play
    from bot.evaluation.demo_bank import make_template
    from bot.evaluation.script import read_scripts
    from bot.evaluation.services import understanding_service

    settings = settings_or_exit()

    async def work() -> list[dict[str, object]]:
        scripts = read_scripts(file)
        results = []
        with tempfile.TemporaryDirectory(prefix="zhanggui-") as folder:
            template = await make_template(Path(folder), MOMENT)
            async with understanding_service(settings, _quietly) as understander:
                for script in scripts:
                    result = await play(script, template, understander)
                    results.append(
                        {
                            "name": result.name,
                            "kind": result.kind,
                            "passed": result.passed,
                            "failures": result.failures,
                            "transcript": result.transcript,
                        }
                    )
        return results

    results = run_async(work())
    if as_json:
        passed = sum(bool(r["passed"]) for r in results)
        click.echo(json.dumps({"n": len(results), "passed": passed, "scripts": results}, ensure_ascii=False))
        return
    for result in results:
        click.echo(f"{'✓' if result['passed'] else '✗'} {result['kind']} {result['name']}")
        for line in [*(result["transcript"] if show else []), *result["failures"]]:  # type: ignore[misc]
            click.echo(f"    {line}")
