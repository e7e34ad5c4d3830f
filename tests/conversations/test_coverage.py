"""There are enough scripted conversations of every kind, and no two share a name within an area."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

from bot.evaluation.script import Kind, read_scripts

HERE = Path(__file__).parent
SCRIPTS_MIN = 90
OF_A_KIND_MIN = 5
FILES = sorted(HERE.rglob("*.yml"))


def test_there_are_enough_scripts_of_every_kind() -> None:
    kinds = Counter(script.kind for path in FILES for script in read_scripts(path))
    assert kinds.total() >= SCRIPTS_MIN, kinds
    assert {kind: kinds[kind] for kind in get_args(Kind) if kinds[kind] < OF_A_KIND_MIN} == {}


def test_every_script_lies_in_the_file_of_its_kind_and_has_its_own_name() -> None:
    for path in FILES:
        scripts = read_scripts(path)
        assert {script.kind for script in scripts} == {path.stem}, path
    names = Counter((path.parent.name, script.name) for path in FILES for script in read_scripts(path))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_script_checks_something() -> None:
    checks = {"expect", "expect_any", "expect_not", "card", "choices", "action", "expects", "owner", "silent"}
    for path in FILES:
        for script in read_scripts(path):
            checked = any(checks & step.model_fields_set for step in script.steps)
            assert checked, f"{path}: {script.name} checks nothing"
