"""`zhanggui run` serves the chat and the desk, and one Ctrl-C ends everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bot.running.premises import free_port
from bot.settings import ROOT
from tests.needs import needs_nlu

pytestmark = [
    pytest.mark.process,
    needs_nlu,
]
READY_TIMEOUT_S = 240


def _get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=5) as response:
        return response.status, response.read().decode()


def _wait_ready(process: subprocess.Popen[str], port: int) -> None:
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, process.stdout.read() if process.stdout else "ended"
        try:
            if json.loads(_get(f"http://127.0.0.1:{port}/healthz")[1])["ready"]:
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("not ready in time")


def test_run_serves_chat_and_desk_and_one_interrupt_ends_it(tmp_path: Path) -> None:
    port, nlu_port = free_port(), free_port()
    environment = os.environ | {
        "ZHANGGUI_DATA_DIR": str(tmp_path),
        "ZHANGGUI_CACHE_DIR": str(ROOT / "var" / "cache"),
        "ZHANGGUI_NLU_MODEL_DIR": str(ROOT / "var" / "nlu"),
        "ZHANGGUI_PORT": str(port),
        "ZHANGGUI_NLU_PORT": str(nlu_port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "run"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_ready(process, port)
        assert "小掌柜" in _get(f"http://127.0.0.1:{port}/")[1]
        assert _get(f"http://127.0.0.1:{port}/desk/")[0] == 200
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
        assert "已停止" in output
    finally:
        process.kill()
    with pytest.raises(OSError):
        _get(f"http://127.0.0.1:{nlu_port}/health")
