"""Trains the NLU model when its inputs changed, and runs the service as a child process that dies with us."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.running.errors import NluEnvironmentMissing, ServiceDied, TrainingFailed
from bot.running.premises import require_port
from bot.settings import ROOT
from bot.understanding.client import NluClient

NLU_PROJECT = ROOT / "bot" / "nlu"
READY_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 5.0
LOOPBACK, ANY_HOST = "127.0.0.1", "0.0.0.0"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NluModel:
    """A trained model and the hash it must have."""

    archive: Path
    sha256: str

    def is_intact(self) -> bool:
        """True when the archive is there and has its hash."""
        if not self.archive.exists():
            return False
        with self.archive.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256


def nlu_python() -> Path:
    """The interpreter of the NLU environment. Raises NluEnvironmentMissing."""
    python = NLU_PROJECT / ".venv" / "bin" / "python"
    if not python.exists():
        raise NluEnvironmentMissing("缺少理解服务的 Python 3.10 环境，请先运行 make install。")
    return python


def train_if_needed(model_dir: Path, say: Say) -> NluModel:
    """Trains unless nothing changed, with its progress passed to `say`. Raises TrainingFailed."""
    command = [
        str(nlu_python()),
        "-m",
        "zhanggui_nlu.train",
        "--data",
        str(ROOT / "nlu_data"),
        "--out",
        str(model_dir),
    ]
    process = subprocess.Popen(
        command,
        cwd=NLU_PROJECT,
        env=nlu_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    tail: list[str] = []
    for line in process.stdout:
        tail = [*tail[-20:], line.rstrip()]
        if line.startswith("[nlu]"):
            say(line.rstrip())
    if process.wait() != 0:
        raise TrainingFailed("理解模型训练失败：" + " / ".join(tail[-3:]))
    return read_model(model_dir)


def read_model(model_dir: Path) -> NluModel:
    """The model as `train` left it. Raises TrainingFailed when there is none."""
    card = model_dir / "model.json"
    try:
        sha256 = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError):
        raise TrainingFailed(f"在 {model_dir.name} 里没有找到训练好的理解模型，请先运行 make run。") from None
    return NluModel(model_dir / "model.tar.gz", sha256)


@asynccontextmanager
async def nlu_service(
    model: NluModel, port: int, token: str, log_file: Path, host: str = LOOPBACK
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The running, ready service; stopped at the end. Raises PortBusy or ServiceDied."""
    require_port(host, port, "理解服务", "ZHANGGUI_NLU_PORT")
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [
                str(nlu_python()),
                "-m",
                "zhanggui_nlu.serve",
                "--model",
                str(model.archive),
                "--sha256",
                model.sha256,
                "--host",
                host,
                "--port",
                str(port),
                *(() if host == LOOPBACK else ("--beyond-loopback",)),
            ],
            cwd=NLU_PROJECT,
            env=nlu_environment() | {"NLU_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=partial(_die_with, os.getpid()),  # noqa: PLW1509 - two calls, no Python lock is held
        )
    try:
        await _until_ready(process, LOOPBACK if host == ANY_HOST else host, port, token, log_file)
        yield process
    finally:
        stop(process)


async def _until_ready(
    process: subprocess.Popen[bytes], host: str, port: int, token: str, log_file: Path
) -> None:
    client = NluClient(f"http://{host}:{port}", token)
    try:
        for _ in range(int(READY_TIMEOUT_S / 0.2)):
            if process.poll() is not None:
                raise ServiceDied(f"理解服务没有启动成功：{_last_line(log_file)}（日志 {log_file.name}）")
            if await client.ready():
                return
            await asyncio.sleep(0.2)
        raise ServiceDied(f"理解服务 {READY_TIMEOUT_S:.0f} 秒内没有就绪，请看日志 {log_file.name}。")
    finally:
        await client.close()


def _last_line(log_file: Path) -> str:
    return (log_file.read_text(errors="replace").splitlines() or [""])[-1]


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the child, by force when it does not go."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def nlu_environment() -> dict[str, str]:
    """The child's environment: ours without our own Python's traces."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "ZHANGGUI_"))}
    return kept | {"PYTHONPATH": str(NLU_PROJECT), "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"}


def _die_with(parent: int) -> None:
    """On Linux the kernel ends the child when `parent` is gone, however it went, even while the child began."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
