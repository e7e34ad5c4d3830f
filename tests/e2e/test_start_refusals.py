"""What keeps `zhanggui run` from starting is said in one sentence, at once, with a non-zero exit."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.running.premises import FREE_DISK_MIN_MB, free_port, require_disk
from bot.settings import ROOT

pytestmark = pytest.mark.process


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def run(folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    ports = {"ZHANGGUI_PORT": str(free_port()), "ZHANGGUI_NLU_PORT": str(free_port())}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHANGGUI_")}
    chosen = {f"ZHANGGUI_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "run"],
        cwd=ROOT,
        env=kept | {"ZHANGGUI_DATA_DIR": str(folder / "data")} | ports | chosen,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_a_busy_web_port_is_named_before_anything_is_trained_or_filled(
    tmp_path: Path, taken_port: int
) -> None:
    done = run(tmp_path, port=taken_port)
    refused(done, str(taken_port), "ZHANGGUI_PORT")
    assert done.stdout == ""
    assert not list((tmp_path / "data").glob("*.db"))


def test_a_busy_understanding_port_is_named(tmp_path: Path, taken_port: int) -> None:
    refused(run(tmp_path, nlu_port=taken_port), str(taken_port), "ZHANGGUI_NLU_PORT")


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should be")
    refused(run(tmp_path), "data")


def test_an_impossible_setting_is_named(tmp_path: Path) -> None:
    refused(run(tmp_path, port=99999), "port")


def test_production_without_its_secrets_does_not_start(tmp_path: Path) -> None:
    refused(
        run(tmp_path, mode="production"),
        *(f"ZHANGGUI_{name}" for name in ("NLU_TOKEN", "OTP_KEY", "KEY_FILE", "VOICE_KEY_FILE")),
    )


def test_production_without_its_key_file_does_not_start_and_makes_none(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    secret = "a-value-of-more-than-thirty-two-characters-for-tests"
    done = run(
        tmp_path, mode="production", nlu_token=secret, otp_key=secret, key_file=keys, voice_key_file=keys
    )
    refused(done, "key_ring_invalid", "zhanggui keys init")
    assert not keys.exists()


def test_a_full_disk_is_named_with_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.running.errors import DiskFull

    monkeypatch.setattr("shutil.disk_usage", lambda _folder: type("Usage", (), {"free": 7 * 1024**2}))
    with pytest.raises(DiskFull, match=rf"{FREE_DISK_MIN_MB} MB，现在只剩 7 MB"):
        require_disk(tmp_path)
