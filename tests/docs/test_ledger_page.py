"""docs/ledger.md names every error of the ledger with its code, and every problem `verify` can find."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import banking_core.ledger
from banking_core.errors import BankError
from banking_core.ledger import errors

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, BankError) and each.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda each: each.__name__)
def test_the_page_names_each_error_under_its_parent_with_its_code(error: type[BankError]) -> None:
    line = re.search(rf"^(.*)\b{error.__name__} +{error.code}\b", PAGE, re.MULTILINE)
    parent = error.__mro__[1].__name__
    assert line is not None
    before = PAGE[: line.start()].splitlines()
    depth = len(line[1])
    above = next(each for each in reversed(before) if len(re.match(r"[│├└─ ]*", each)[0]) < depth)  # type: ignore[index]
    assert re.search(rf"\b{parent}\b", above)


def test_the_page_names_each_problem_verify_can_find() -> None:
    folder = Path(banking_core.ledger.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("verify*.py"))
    codes = set(re.findall(r"\badd\(\s*\"([a-z_]+)\"", source))
    assert len(codes) > 12
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
