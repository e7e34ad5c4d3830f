"""The page that teaches how to add a skill works as written: its own code, data, script and entry are used."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from actions.registry import build_registry
from banking_core.configuration import Terms
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.understanding import Understanding
from bot.evaluation.converse import MOMENT, play
from bot.evaluation.demo_bank import make_template
from bot.evaluation.script import read_scripts
from bot.knowledge.entries import load_entries
from bot.settings import ROOT

PAGE = (ROOT / "docs" / "add-a-skill.md").read_text(encoding="utf-8")
BLOCKS = dict(
    zip(
        re.findall(r"^## \d\. .*`(.+)`$", PAGE, re.M),
        re.findall(r"```\w+\n(.*?)```", PAGE, re.S),
        strict=True,
    )
)


class HearsTheNewSkill:
    """Stands for the model after training on the page's sentences."""

    async def understand(self, text: str) -> Understanding:
        return Understanding(text, "card_status", 0.97, (("card_status", 0.97),))


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "card_status.py"
    path.write_text(BLOCKS["actions/card_status.py"], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("actions.card_status_of_the_page", path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


async def test_the_skill_of_the_page_keeps_the_script_of_the_page(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [skill for skill in build_registry() if skill.intent != "card_status"]
    monkeypatch.setattr(
        "bot.assembly.build_registry", lambda *announced: SkillRegistry([*own, module.CardStatusSkill()])
    )
    file = tmp_path / "happy.yml"
    file.write_text(BLOCKS["tests/conversations/cards/happy.yml"], encoding="utf-8")
    template = await make_template(tmp_path / "bank", MOMENT)
    for script in read_scripts(file):
        result = await play(script, template, HearsTheNewSkill())
        assert result.passed, [*result.transcript, *result.failures]


def test_the_sentences_of_the_page_are_training_data() -> None:
    (block,) = yaml.safe_load(BLOCKS["nlu_data/cards.yml"])["nlu"]
    assert block["intent"] == "card_status"
    assert all(line.startswith("- ") for line in block["examples"].splitlines())


def test_the_entry_of_the_page_loads_with_the_bank_s_terms(tmp_path: Path) -> None:
    (tmp_path / "cards.yml").write_text(BLOCKS["nlu_data/faq/cards.yml"], encoding="utf-8")
    (entry,) = load_entries(tmp_path, Terms.load())
    assert "{" not in entry.answer
