"""A generated bank over some months: everybody's life, with frauds strewn in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from random import Random

from banking_core.clock import BANK_ZONE
from banking_core.risk.simulation.frauds import PATTERN_WEIGHTS, commit
from banking_core.risk.simulation.happenings import Happening
from banking_core.risk.simulation.living import live
from banking_core.risk.simulation.people import Person, draw_person
from banking_core.risk.windows import DAY_S

MONTH_DAYS = 30
START = datetime(2026, 1, 5, tzinfo=BANK_ZONE)


@dataclass(frozen=True)
class Plan:
    """What to generate. The last month is held out: the model never sees it while it is trained."""

    customers: int = 2000
    months: int = 7
    frauds_per_month: int = 100
    seed: int = 20261125

    def as_json(self) -> dict[str, int]:
        """The plan as it is written next to the weights."""
        return asdict(self)

    @property
    def start_s(self) -> float:
        """Seconds since 1970 at which the first month begins."""
        return START.timestamp()

    def month_start_s(self, month: int) -> float:
        """Seconds since 1970 at which month `month` (from 0) begins."""
        return self.start_s + month * MONTH_DAYS * DAY_S

    def month_of(self, at_s: float) -> int:
        """The month (from 0) an instant lies in."""
        return int((at_s - self.start_s) // (MONTH_DAYS * DAY_S))

    @property
    def end(self) -> datetime:
        """The instant after the last month."""
        return START + timedelta(days=self.months * MONTH_DAYS)


def generate(plan: Plan) -> tuple[list[Person], list[Happening]]:
    """The people and everything that happens, in order of time. The same plan gives the same world."""
    days = plan.months * MONTH_DAYS
    people = [draw_person(index, plan.start_s, days, plan.seed) for index in range(plan.customers)]
    happenings: list[Happening] = []
    for person in people:
        happenings.extend(live(person, plan.start_s, days, plan.seed))
    random = Random(f"{plan.seed}:frauds")
    patterns = list(PATTERN_WEIGHTS)
    for month in range(plan.months):
        for _ in range(plan.frauds_per_month):
            pattern = random.choices(patterns, [PATTERN_WEIGHTS[name] for name in patterns])[0]
            at_s = plan.month_start_s(month) + random.uniform(0, MONTH_DAYS) * DAY_S
            person = _victim(random, people, pattern, plan.start_s, at_s)
            happenings.extend(commit(pattern, person, at_s, plan.seed))
    last_s = plan.end.timestamp()
    happenings = [happening for happening in happenings if plan.start_s <= happening.at_s < last_s]
    happenings.sort(key=lambda happening: (happening.at_s, happening.person))
    return people, happenings


def _victim(random: Random, people: list[Person], pattern: str, start_s: float, at_s: float) -> Person:
    """Swindlers look for the old and the young; mules are young customers of a short time."""
    while True:
        person = random.choice(people)
        if person.first_day and start_s + (person.first_day + 1) * DAY_S > at_s:
            continue  # not a customer yet
        likely = 0.5
        if pattern == "scam_victim":
            likely = 1.0 if person.years >= 60 or person.years < 25 else 0.45
        elif pattern == "mule":
            likely = 1.0 if person.years < 30 else 0.2
        if random.random() < likely:
            return person
