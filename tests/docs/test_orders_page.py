"""docs/orders.md names every error with its code, every state, every job and every section of the rules."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from banking_core.bank import Bank
from banking_core.configuration import Rules
from banking_core.configuration import errors as configuration_errors
from banking_core.errors import BankError
from banking_core.interest import errors as interest_errors
from banking_core.jobs import bank_jobs
from banking_core.mandates import errors as mandate_errors
from banking_core.orders import errors as order_errors
from banking_core.orders.states import STATUSES
from banking_core.scheduling import errors as job_errors
from banking_core.statements import errors as statement_errors
from banking_core.storage import Database
from banking_core.tariff import errors as tariff_errors
from bot.upkeep import upkeep_jobs
from tests.banking_core.conftest import bank, clock, database, database_url, engine_name, settings, vault
from tests.banking_core.engines import only_on

__all__ = ["bank", "clock", "database", "database_url", "engine_name", "settings", "vault"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
MODULES = (
    *(configuration_errors, interest_errors, mandate_errors, order_errors),
    *(job_errors, statement_errors, tariff_errors),
)
CLASSES = [
    each
    for module in MODULES
    for _, each in inspect.getmembers(module, inspect.isclass)
    if issubclass(each, BankError) and each.__module__ == module.__name__
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda each: each.__name__)
def test_the_page_names_each_error_under_its_parent_with_its_code(error: type[BankError]) -> None:
    line = re.search(rf"^(.*)\b{error.__name__} +{error.code}\b", PAGE, re.MULTILINE)
    assert line is not None
    depth = len(line[1])
    before = PAGE[: line.start()].splitlines()
    above = next(each for each in reversed(before) if len(re.match(r"[│├└─ ]*", each)[0]) < depth)  # type: ignore[index]
    assert re.search(rf"\b{error.__mro__[1].__name__}\b", above)


def test_the_page_names_each_state_and_each_section_of_the_rules() -> None:
    assert {status for status in STATUSES if f"`{status}`" not in PAGE} == set()
    assert {section for section in Rules.model_fields if f"`{section}`" not in PAGE} == set()


@only_on("sqlite", "a page names the same jobs whatever the database")
def test_the_page_names_exactly_the_jobs_there_are(bank: Bank, database: Database) -> None:
    listed = set(re.findall(r"^\| `([a-z_]+)` \| (?:every|daily|monthly)", PAGE, re.MULTILINE))
    source = inspect.getsource(upkeep_jobs)
    assert listed == {job.name for job in bank_jobs(bank, database)} | set(
        re.findall(r'sweep_job\("([a-z_]+)"', source)
    )
