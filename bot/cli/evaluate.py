"""`zhanggui eval`: intents, answers, scripted conversations, public sets, hearing, voices."""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bot.cli.failures import run_async, settings_or_exit
from bot.evaluation.public_sets import CANDIDATES, SETS, Comparison

if TYPE_CHECKING:
    from bot.evaluation.voiceprint import Measured

PICTURES = (".png", ".svg", ".pdf")
UNDRAWN = "没有成功：曲线画不出来（{why}）。画图需要 matplotlib，放在已有的文件夹里，文件名以 .png、.svg 或 .pdf 结尾。"


@click.group("eval")
def evaluate() -> None:
    """测量：理解、回答、整段对话、听音、声纹。"""


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


@evaluate.command("public")
@click.argument("name", type=click.Choice(SETS))
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="数据目录"
)
@click.option("--only", type=click.Choice(CANDIDATES), multiple=True, help="只测这一个")
@click.option("--epochs", type=click.IntRange(min=1), default=100, show_default=True, help="DIET 训练多少轮")
@click.option(
    "--minutes-max", type=click.FloatRange(min=0), default=12.0, show_default=True, help="DIET 最多训练几分钟"
)
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def public(
    name: str, data: Path, only: tuple[str, ...], epochs: int, minutes_max: float, as_json: bool
) -> None:
    """公开英文数据集：我们的流水线和 Rasa 默认的 DIET 比一比。"""
    from bot.evaluation.public_sets import as_table, measure_public

    async def work() -> dict[str, object]:
        return measure_public(Comparison(name, data, only or CANDIDATES, epochs, minutes_max), _quietly)

    report = run_async(work())
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for line in as_table(report):
        click.echo(line)


@evaluate.command("asr")
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--rate", type=click.IntRange(4000, 48000), default=8000, show_default=True, help="采样率（Hz）"
)
@click.option(
    "--codec", type=click.Choice(["none", "pcmu", "pcma"]), default="pcmu", show_default=True, help="电话编码"
)
@click.option("--model", default="", help="模型；默认用设置里的 hearing_model")
@click.option("--free", is_flag=True, help="没有给出 grammar 的行不限说法")
def asr(manifest: Path, rate: int, codec: Literal["none", "pcmu", "pcma"], model: str, free: bool) -> None:
    """MANIFEST.jsonl：每行 {"audio", "text"[, "grammar"]}；打印一个 JSON 对象。"""
    from bot.channels.phone.errors import HearingFailed
    from bot.evaluation.hearing import ManifestError, read_manifest, report

    which = model or settings_or_exit().hearing_model
    try:
        lines = read_manifest(manifest)
        click.echo(report(lines, which, rate_hz=rate, through=codec, free_speech=free))
    except UnicodeDecodeError:
        click.echo("没有成功：清单不是 UTF-8 编码的文本，请转换后再试。", err=True)
        sys.exit(2)
    except ManifestError as error:
        click.echo(f"没有成功：清单有问题（{error}），请改正后再试。", err=True)
        sys.exit(2)
    except HearingFailed as error:
        click.echo(f"没有成功：识别模型用不了（{error}），请检查 ZHANGGUI_HEARING_MODEL。", err=True)
        sys.exit(2)


@evaluate.command("voiceprint")
@click.argument("trials", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--rate", type=click.IntRange(4000, 48000), default=None, help="按这个采样率（Hz）重采样，再过电话编码"
)
@click.option(
    "--codec",
    type=click.Choice(["none", "pcmu", "pcma"]),
    default="pcmu",
    show_default=True,
    help="电话编码，与 --rate 同用",
)
@click.option("--model", default="", help="模型；默认用设置里的 voiceprint_model")
@click.option(
    "--tier",
    type=click.Choice(["low", "medium", "high"]),
    default="medium",
    show_default=True,
    help="按哪一级风险的门槛算误受率和误拒率",
)
@click.option(
    "--det", type=click.Path(dir_okay=False, path_type=Path), help="DET 曲线画到这个 .png、.svg 或 .pdf 文件"
)
def voiceprint(
    trials: Path,
    rate: int | None,
    codec: Literal["none", "pcmu", "pcma"],
    model: str,
    tier: Literal["low", "medium", "high"],
    det: Path | None,
) -> None:
    """TRIALS.jsonl：每行 {"enrol": [路径], "test": [路径], "target": 真假}；打印一个 JSON 对象。"""
    from bot.channels.phone.errors import PhoneError
    from bot.evaluation.hearing import ManifestError
    from bot.evaluation.voiceprint import measure, read_trials

    if det:
        _drawable_or_exit(det)  # said before what may take an hour, not after it
    which = model or settings_or_exit().voiceprint_model
    try:
        found = measure(read_trials(trials), which, rate_hz=rate, through=codec, tier=tier)
    except UnicodeDecodeError:
        click.echo("没有成功：清单不是 UTF-8 编码的文本，请转换后再试。", err=True)
        sys.exit(2)
    except ManifestError as error:
        click.echo(f"没有成功：清单有问题（{error}），请改正后再试。", err=True)
        sys.exit(2)
    except (PhoneError, ImportError) as error:
        click.echo(f"没有成功：声纹模型用不了（{error}），请检查 ZHANGGUI_VOICEPRINT_MODEL。", err=True)
        sys.exit(2)
    if found.unheard:
        click.echo(f"注意：有 {found.unheard} 条没有听到人说话，都按“不是本人”算。", err=True)
    click.echo(json.dumps(found.figures, ensure_ascii=False))
    if det:
        _draw_or_exit(found, trials.stem, det)


def _drawable_or_exit(file: Path) -> None:
    """Ends with a sentence where no picture can come of it."""
    if file.suffix not in PICTURES or not file.parent.is_dir() or find_spec("matplotlib") is None:
        click.echo(UNDRAWN.format(why=file), err=True)
        sys.exit(2)


def _draw_or_exit(found: Measured, name: str, file: Path) -> None:
    """The figures have been printed: only the picture can be missing."""
    from bot.evaluation.error_rates import draw_det

    at = (found.figures["far"], found.figures["frr"])
    try:
        draw_det({name: found.curve}, file, {f"threshold {found.figures['threshold']:g}": at})
    except (ImportError, ValueError, OSError) as error:
        click.echo(UNDRAWN.format(why=error), err=True)
        sys.exit(2)
