"""A turn asks the same of the database, and reads the same slots, however many skills and messages there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.dialogue_scale import DummySkill, counter, measure, talk
from bot.dialogue.slots import MoneySlot
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import make_template


async def test_the_cost_of_a_turn_does_not_grow_with_skills_or_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a skill nobody asked for was consulted")

    template = await make_template(tmp_path / "template", MOMENT)
    async with counter(template, tmp_path / "few", 0) as few:
        base = await measure(few, await talk(few, 0), turns=3)
        after_much_talk = await measure(few, await talk(few, 1_000), turns=3)
    for slot in DummySkill.slots:
        for method in ("read", "ask", "check", "default"):
            monkeypatch.setattr(slot, method, never)
    async with counter(template, tmp_path / "many", 300) as many:
        among_many_skills = await measure(many, await talk(many, 0), turns=3)
    assert isinstance(DummySkill.slots[0], MoneySlot)
    assert after_much_talk.statements == base.statements == among_many_skills.statements
