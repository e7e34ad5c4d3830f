"""The skills by intent name. Looking one up costs the same with three skills or three hundred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.dialogue.errors import UnknownSkill
from bot.dialogue.skill import Skill


class SkillRegistry:
    """Every skill the assistant has."""

    def __init__(self, skills: Iterable[Skill]) -> None:
        self._by_intent: dict[str, Skill] = {}
        for skill in skills:
            assert skill.intent not in self._by_intent, f"two skills are called {skill.intent}"
            self._by_intent[skill.intent] = skill

    def get(self, intent: str) -> Skill:
        """The skill of that intent. Raises UnknownSkill."""
        try:
            return self._by_intent[intent]
        except KeyError:
            raise UnknownSkill(intent) from None

    def startable(self, intent: str) -> bool:
        """True when a customer's sentence may start it."""
        skill = self._by_intent.get(intent)
        return skill is not None and not skill.manner.hidden

    def __contains__(self, intent: object) -> bool:
        return intent in self._by_intent

    def __iter__(self) -> Iterator[Skill]:
        return iter(self._by_intent.values())
