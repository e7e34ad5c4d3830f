"""`zhanggui keys`: what an operator does with the keys of personal data."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from banking_core.vault import KeyFile
from bot.cli.main import cli


def test_a_key_file_is_made_once_and_an_existing_one_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = CliRunner().invoke(cli, ["keys", "init", str(path)])
    assert made.exit_code == 0 and "另存" in made.output
    ring = KeyFile(path).load()
    again = CliRunner().invoke(cli, ["keys", "init", str(path)])
    assert again.exit_code == 1 and "已经存在" in again.output
    assert KeyFile(path).load() == ring


def test_a_place_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(cli, ["keys", "init", str(tmp_path / "file" / "keys.json")])
    assert done.exit_code == 1
    assert len(done.output.strip().splitlines()) == 1
