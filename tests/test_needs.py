"""A machine without Chromium or PostgreSQL: the tests that need them are skipped there, and fail in CI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import ROOT

# Loaded into another pytest before anything is collected: a machine on which no program is found.
BARE_MACHINE = """
import shutil
import tests.postgres
shutil.which = lambda *_args, **_options: None
tests.postgres.BINARIES = []
"""
BROWSER_TESTS = [
    "tests/desk/test_page.py",
    "tests/e2e/test_customer.py",
    "-m",
    "browser",
]  # a page and a whole product
POSTGRES_TESTS = ["tests/banking_core/ledger", "tests/banking_core/orders", "-k", "postgresql"]


def on_a_bare_machine(
    folder: Path, arguments: list[str], *, ci: str | None
) -> tuple[int, dict[str, int], str]:
    """Exit status, how many tests ended how, and the output."""
    (folder / "bare_machine.py").write_text(BARE_MACHINE)
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"} | ({"CI": ci} if ci else {})
    plugins = ["-p", "bare_machine", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, "-q", "-rs", "-o", "addopts=--import-mode=importlib"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    counts = {kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout)}
    return done.returncode, counts, done.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(BROWSER_TESTS, "no Chromium on this machine"), (POSTGRES_TESTS, "PostgreSQL is not available")],
    ids=["browser", "postgresql"],
)
def test_what_is_missing_is_a_reason_to_skip_at_home_and_a_failure_in_ci(
    tmp_path: Path, arguments: list[str], reason: str
) -> None:
    status, at_home, output = on_a_bare_machine(tmp_path, arguments, ci=None)
    assert (status, set(at_home)) == (0, {"skipped"}), output
    assert reason in output

    status, in_ci, output = on_a_bare_machine(tmp_path, arguments, ci="true")
    assert status == 1, output
    assert "passed" not in in_ci and "skipped" not in in_ci, output
    assert in_ci.get("failed", 0) + in_ci.get("error", 0) == at_home["skipped"] > 10, output
    assert f"CI must have it: {reason}" in output
