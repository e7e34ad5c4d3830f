"""`zhanggui doctor`: what is installed, what is missing, what to do."""

from __future__ import annotations

import shutil
import sys

import click

from bot.running.errors import StartError
from bot.running.nlu_service import nlu_python, port_is_free, read_model
from bot.settings import Settings

FREE_DISK_MIN_BYTES = 2 * 1024**3


def examine(settings: Settings) -> bool:
    """Prints one line per check; True when everything needed is there."""
    results = [
        _line(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}", "需要 Python 3.11 或更新"),
        _check(nlu_python, "理解服务的 Python 3.10 环境"),
        _check(lambda: read_model(settings.nlu_model_dir), "训练好的理解模型"),
        _line(
            port_is_free(settings.host, settings.port),
            f"端口 {settings.port} 空闲",
            "端口被占用（也可能掌柜正在运行）",
        ),
        _line(_free_bytes(settings) > FREE_DISK_MIN_BYTES, "磁盘空间", "磁盘剩余不足 2 GB"),
    ]
    return all(results)


def _check(probe: object, what: str) -> bool:
    assert callable(probe)
    try:
        probe()
    except StartError as error:
        return _line(False, what, str(error))
    return _line(True, what, "")


def _line(good: bool, what: str, otherwise: str) -> bool:
    click.echo(f"{'✓' if good else '✗'} {what}{'' if good else '：' + otherwise}")
    return good


def _free_bytes(settings: Settings) -> int:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    return shutil.disk_usage(folder).free
