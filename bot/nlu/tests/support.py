"""Ten sentences to train on, and the service as a process."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
TOKEN = "a-token-for-tests"
READY_TIMEOUT_S = 60
TEN_SENTENCES = """version: "3.1"
nlu:
- intent: transfer_make
  examples: |
    - 给[张三](payee)转五百
    - 转账给[李四](payee)
    - 汇款到[工商银行](bank)
    - 我要转钱
    - 打三百给[王五](payee)
- intent: account_balance
  examples: |
    - 还有多少钱
    - 查一下余额
    - 我卡里剩多少
    - 余额多少
    - 账上的钱够不够
"""


def write_data(folder: Path) -> Path:
    """A data folder with ten sentences and two dev sentences."""
    (folder / "dev").mkdir(parents=True)
    (folder / "lexicons").mkdir()
    (folder / "small.yml").write_text(TEN_SENTENCES, encoding="utf-8")
    dev = "帮我转钱\ttransfer_make\n余额还剩多少\taccount_balance\n"
    (folder / "dev" / "small.tsv").write_text(dev, encoding="utf-8")
    (folder / "lexicons" / "surnames.txt").write_text("张 李 王 赵", encoding="utf-8")
    return folder


def free_port() -> int:
    """A loopback port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_command(archive: Path, sha256: str, port: int, host: str = "127.0.0.1") -> list[str]:
    """The command line of the service."""
    module = [sys.executable, "-m", "zhanggui_nlu.serve"]
    return [*module, "--model", str(archive), "--sha256", sha256, "--port", str(port), "--host", host]


def environment(token: str | None = TOKEN) -> dict[str, str]:
    """This process's environment with the service's token, or without."""
    kept = {name: value for name, value in os.environ.items() if name != "NLU_TOKEN"}
    return kept if token is None else {**kept, "NLU_TOKEN": token}


def refusal(
    archive: Path, sha256: str, host: str = "127.0.0.1", token: str | None = TOKEN
) -> tuple[int, str]:
    """Exit code and stderr of a service that should refuse to start."""
    command = serve_command(archive, sha256, free_port(), host)
    done = subprocess.run(
        command, cwd=PROJECT, env=environment(token), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


class Service:
    """The service in a process of its own."""

    def __init__(self, archive: Path, sha256: str) -> None:
        """Starts it; `wait` until it is ready."""
        self.port = free_port()
        self.process = subprocess.Popen(
            serve_command(archive, sha256, self.port),
            cwd=PROJECT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = TOKEN
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request; `body` as JSON unless it is bytes already."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def wait(self) -> None:
        """Returns when sentences can be parsed. Raises AssertionError when that takes too long."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask("GET", "/health")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)  # a real process is starting; there is no clock to inject
        raise AssertionError("the service did not become ready")

    def stop(self) -> str:
        """Ends it; returns all it printed."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=20)
        return output
