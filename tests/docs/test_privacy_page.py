"""docs/privacy.md names every sealed column and what becomes of every table when somebody is erased."""

from __future__ import annotations

import re
from pathlib import Path

from banking_core.privacy.words import SECURITY
from banking_core.vault import sealed_attributes
from banking_core.vault.rotation import sealed_models
from migrations.model_modules import load_metadata

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_the_page_names_every_sealed_column_and_no_other() -> None:
    load_metadata()
    told = {
        row[1]: set(re.findall(r"`(\w+)`", row[2]))
        for row in re.finditer(r"^\| `(\w+)` \| (.+?) \| ", PAGE, re.MULTILINE)
    }
    sealed = {
        str(model.__tablename__): {attribute.name for attribute in sealed_attributes(model)}
        for model in sealed_models()
    }
    assert told == sealed


def test_every_kind_of_security_event_has_words_for_its_customer() -> None:
    root = Path(__file__).parents[2] / "banking_core"
    kinds = {
        kind
        for path in root.rglob("*.py")
        for kind in re.findall(
            r'(?:record|_note)\(\s*session,(?: attempt,)?\s*"([a-z_]+)"', path.read_text(encoding="utf-8")
        )
    }
    assert len(kinds) > 20
    assert kinds - set(SECURITY["kind"]) == set()


def test_the_page_names_every_act_that_is_noted() -> None:
    root = Path(__file__).parents[2]
    sources = (
        path.read_text(encoding="utf-8")
        for room in ("banking_core", "bot", "desk")
        for path in (root / room).rglob("*.py")
        if ".venv" not in path.parts
    )
    acts = {
        act
        for source in sources
        if "audit" in source
        for act in re.findall(r'"((?:customer|payee|lock|keys|agent|tickets?|mandate)\.[a-z_]+)"', source)
    }
    assert len(acts) > 12
    assert {act for act in acts if f"`{act}`" not in PAGE and act.split(".")[0] != "mandate"} == set()
