"""Each way the installation can fail gives one clear sentence and a non-zero exit, before anything is half done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import ROOT

TOOLS = ("bash", "cat", "cksum", "mkdir", "df", "awk", "tail", "grep", "tee", "dirname")


class Machine:
    """A folder with the installer in it, and a PATH that holds only what we put there."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.path = root / "bin"
        shutil.copytree(ROOT / "setup", self.root / "setup")
        (self.root / "bot" / "nlu").mkdir(parents=True)
        for name in ("requirements-dev.lock", "pyproject.toml", "bot/nlu/requirements.lock"):
            shutil.copy(ROOT / name, self.root / name)
        self.path.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.path / tool).symlink_to(found)

    def has(self, name: str, script: str) -> None:
        file = self.path / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def install(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shutil.which("bash") or "bash", "setup/install.sh"],
            cwd=self.root,
            env={"PATH": str(self.path), "HOME": str(self.root)} | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def app_is_installed(self) -> None:
        """The application's environment is there and current, so that the next step is reached."""
        (self.root / ".venv" / "bin").mkdir(parents=True)
        (self.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        files = [self.root / "requirements-dev.lock", self.root / "pyproject.toml"]
        content = b"".join(file.read_bytes() for file in files)
        stamp = subprocess.run(["cksum"], input=content, capture_output=True, check=True).stdout
        (self.root / ".venv" / ".made_from").write_bytes(stamp)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    (made.path / "python3").symlink_to(sys.executable)
    return made


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done
    sentences = done.stderr.strip().splitlines()
    assert len(sentences) == 1, done.stderr
    assert sentences[0].startswith("安装失败：")
    for word in words:
        assert word in sentences[0]


def test_an_old_python_is_named(machine: Machine) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        machine.has(name, "exit 1")
    refused(machine.install(), "Python 3.11")


def test_a_missing_python_3_10_is_named(machine: Machine) -> None:
    machine.app_is_installed()
    refused(machine.install(), "Python 3.10", "pyenv install 3.10")


def test_a_full_disk_is_named_before_anything_is_fetched(machine: Machine) -> None:
    machine.has("df", 'echo header; echo "/dev/disk 1000 990 10 99% /"')
    refused(machine.install(), "磁盘空间不够", "10 MB")
    assert not (machine.root / ".venv").exists()


def test_an_unreachable_index_is_named(machine: Machine) -> None:
    done = machine.install(
        PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0"
    )
    refused(done, "连不上", "PyPI")
    assert (machine.root / "var" / "install.log").stat().st_size > 0


def test_nothing_is_done_when_nothing_changed(machine: Machine) -> None:
    machine.app_is_installed()
    lock = (machine.root / "bot" / "nlu" / "requirements.lock").read_bytes()
    stamp = subprocess.run(["cksum"], input=lock, capture_output=True, check=True).stdout
    folder = machine.root / "bot" / "nlu" / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / ".made_from").write_bytes(stamp)
    done = machine.install()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
