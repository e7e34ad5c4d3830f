"""The skills by intent name, and those only announced. A look-up costs the same with three or three hundred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.dialogue.announced import Announced
from bot.dialogue.errors import UnknownSkill
from bot.dialogue.skill import Skill


class SkillRegistry:
    """Every skill the assistant has, and those it only knows of: a skill that is there is announced no more."""

    def __init__(self, skills: Iterable[Skill], announced: Iterable[Announced] = ()) -> None:
        self._by_intent: dict[str, Skill] = {}
        for skill in skills:
            assert skill.intent not in self._by_intent, f"two skills are called {skill.intent}"
            self._by_intent[skill.intent] = skill
        self._announced = {row.intent: row for row in announced if row.intent not in self._by_intent}

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

    def announced(self, intent: str) -> Announced | None:
        """The announcement of a skill that has no handler yet."""
        return self._announced.get(intent)

    def opens(self, intent: str) -> bool:
        """True when a sentence with this intent wants something done, whether we can do it or only explain it."""
        return self.startable(intent) or intent in self._announced

    def known(self, intent: str) -> bool:
        """True for a skill that is there or announced."""
        return intent in self._by_intent or intent in self._announced

    def title(self, intent: str) -> str:
        """What the customer calls it. Raises UnknownSkill."""
        row = self._announced.get(intent)
        return row.title if row is not None else self.get(intent).title

    def moves_money(self) -> frozenset[str]:
        """The intents that move money once they are carried out, announced ones too."""
        skills = {skill.intent for skill in self if skill.manner.moves_money}
        return frozenset(skills | {row.intent for row in self._announced.values() if row.moves_money})

    def __contains__(self, intent: object) -> bool:
        return intent in self._by_intent

    def __iter__(self) -> Iterator[Skill]:
        return iter(self._by_intent.values())
