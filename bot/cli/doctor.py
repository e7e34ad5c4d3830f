"""`zhanggui doctor`: what is installed, what is missing, what to do."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches

import click
from sqlalchemy import inspect

from banking_core.clock import BANK_ZONE
from banking_core.scheduling import JobRun, latest_runs
from banking_core.storage import Database
from banking_core.voiceprints.keys import voices_open
from banking_core.voiceprints.models import Voiceprint
from bot.cli.failures import EXPECTED, explain
from bot.cli.settings_page import variable
from bot.running.nlu_service import nlu_python, read_model
from bot.running.premises import port_is_free, require_disk
from bot.settings import SECRETS_FOLDER, Settings
from bot.understanding.client import NluClient

NLU_CHECK_TIMEOUT_S = 60
PREFIX = variable("")
FOR_TESTS = ("ZHANGGUI_TEST_", "ZHANGGUI_LONG_TESTS")
OUTCOMES = {"done": "完成", "failed": "失败", "superseded": "由下一次代替"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is good, and otherwise what to do."""

    what: str
    good: bool
    advice: str = ""


def examine(settings: Settings, *, as_json: bool = False) -> bool:
    """Prints one line (or one JSON object) of checks; True when everything needed is there."""
    findings = [
        _python(),
        names_finding(os.environ),
        _check("理解服务的 Python 3.10 环境", _nlu_environment),
        _check("训练好的理解模型，与登记的哈希一致", lambda: _model(settings)),
        _check("数据目录可写，磁盘有空间", lambda: require_disk(settings.data_dir)),
        _check("个人资料的密钥文件", settings.open_vault),
        _check("声纹的密钥文件", settings.keys("voice").load),
        *asyncio.run(_running(settings)),
    ]
    good = all(finding.good for finding in findings)
    if as_json:
        click.echo(json.dumps({"good": good, "checks": [_view(f) for f in findings]}, ensure_ascii=False))
        return good
    for finding in findings:
        click.echo(
            f"{'✓' if finding.good else '✗'} {finding.what}{'' if finding.good else '：' + finding.advice}"
        )
    click.echo("一切正常。" if good else "有问题，请照上面的提示处理。")
    return good


def _view(finding: Finding) -> dict[str, object]:
    return asdict(finding) if not finding.good else {"what": finding.what, "good": True}


def _python() -> Finding:
    version = sys.version.split()[0]
    return Finding(f"Python {version}", sys.version_info >= (3, 11), "需要 Python 3.11 或更新。")


def names_finding(environment: Iterable[str]) -> Finding:
    """Whether every variable that looks like ours is a setting: a misspelt one does nothing, and says nothing."""
    known = [variable(name) for name in Settings.model_fields] + [SECRETS_FOLDER]
    ours = sorted(name for name in environment if name.startswith(PREFIX) and not name.startswith(FOR_TESTS))
    hints = []
    for name in ours:
        if name not in known:
            nearest = get_close_matches(name, known, n=1, cutoff=0.85)
            hints.append(f"{name}不是设置项" + (f"，是不是想写{nearest[0]}" if nearest else ""))
    return Finding(
        "环境变量里的设置都认得", not hints, "；".join(hints) + "。`zhanggui settings`列出所有设置。"
    )


def _check(what: str, probe: Callable[[], object]) -> Finding:
    try:
        probe()
    except EXPECTED as error:
        return Finding(what, False, explain(error))
    return Finding(what, True)


def _nlu_environment() -> None:
    """Raises NluEnvironmentMissing or OSError when the environment is absent or broken."""
    command = [str(nlu_python()), "-c", "import rasa.shared, spacy"]
    done = subprocess.run(command, capture_output=True, timeout=NLU_CHECK_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise OSError("环境不完整，请删掉 bot/nlu/.venv 再运行 make install")


def _model(settings: Settings) -> None:
    model = read_model(settings.nlu_model_dir)
    if not model.is_intact():
        raise OSError("模型文件被改动过，请删掉它再运行 zhanggui train")


async def _running(settings: Settings) -> list[Finding]:
    """The database, and either free ports or a service of ours that answers on them."""
    assert settings.nlu_token is not None
    client = NluClient(settings.nlu_url, settings.nlu_token.get_secret_value())
    try:
        understands = await client.ready()
    finally:
        await client.close()
    nlu = "理解服务正在运行" if understands else f"理解服务的端口 {settings.nlu_port} 空闲"
    web_free = port_is_free(settings.host, settings.port)
    return [
        *await _database(settings),
        Finding(
            nlu,
            understands or port_is_free("127.0.0.1", settings.nlu_port),
            "被别的程序占用，请关掉它，或设置 ZHANGGUI_NLU_PORT。",
        ),
        Finding(
            f"网页端口 {settings.port} {'空闲' if web_free else '有程序在用'}",
            web_free or understands,
            "被别的程序占用，请关掉它，或设置 ZHANGGUI_PORT。",
        ),
    ]


async def _database(settings: Settings) -> list[Finding]:
    """Whether it answers, and how the bank's jobs ended last; before the first start there are none."""
    try:
        database = Database(settings.database_url, vault=settings.open_vault())
    except EXPECTED:  # told already; the jobs need no keys
        database = Database(settings.database_url)
    try:
        async with database.snapshot() as session:
            connection = await session.connection()
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            runs = await latest_runs(session) if JobRun.__tablename__ in tables else ()
            keys_fit = Voiceprint.__tablename__ not in tables or await voices_open(session)
    except EXPECTED as error:
        return [Finding("数据库可用", False, explain(error))]
    finally:
        await database.close()
    return [Finding("数据库可用", True), voices_finding(keys_fit), *map(job_finding, runs)]


def voices_finding(keys_fit: bool) -> Finding:
    """Whether the keys at hand open the newest voiceprints."""
    advice = (
        "请换回原来的 ZHANGGUI_VOICE_KEY_FILE；真的丢了就用“zhanggui keys forget-voices”销毁，客户要重新录声纹，"
        "别的都不受影响。"
    )
    return Finding("声纹能用密钥打开", keys_fit, advice)


def job_finding(run: JobRun) -> Finding:
    """How a job's newest run ended."""
    outcome = "进行中" if run.outcome is None else OUTCOMES[run.outcome]
    when = f"{run.slot_at.astimezone(BANK_ZONE):%Y-%m-%d %H:%M}"
    what = f"后台任务 {run.job}：{when} {outcome}" + (f"（{run.detail}）" if run.detail else "")
    return Finding(what, run.outcome != "failed", f"请看日志；已试了 {run.attempts} 次，下一个时点会再运行。")
