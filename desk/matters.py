"""What customers come with: why, how urgent it is, who may serve them and what is owed to them, by the bank's rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from banking_core.configuration import Calendar, Rules, Terms
from banking_core.configuration.rules import ReasonRow, ServiceRules
from banking_core.tariff import Opening

FALLBACK = "asked"


@dataclass(frozen=True)
class Chosen:
    """The reason under which a customer is served, and how urgent it is."""

    reason: str
    priority: int
    certification: str


@dataclass(frozen=True)
class Deadlines:
    """Until when a customer who waits from now on is to be answered, and to be done with."""

    first_reply_at: datetime
    resolution_at: datetime


class Matters:
    """The section `service` of the rules, with the hours of the desk."""

    def __init__(self, rules: ServiceRules, hours: Opening) -> None:
        self.rules, self.hours = rules, hours

    @classmethod
    def of(cls, rules: Rules, hours: dict[str, Opening]) -> Matters:
        """Those of a bank."""
        return cls(rules.service, hours[rules.service.hours])

    def choose(self, reason: str, level: str, told: bool) -> Chosen:
        """A swindler's story goes before a less urgent reason, a level before a general one; the most urgent counts."""
        given = self.row(reason)
        fits = {
            code: row
            for code, row in self.rules.reasons.items()
            if (told and row.told) or (row.level is not None and row.level == level)
        }
        chosen = reason if reason in self.rules.reasons else FALLBACK
        for code, row in fits.items():
            if (row.told and row.priority < given.priority) or (row.level is not None and given.general):
                chosen = code
                if row.told:
                    break
        priority = min(given.priority, *(row.priority for row in fits.values()), given.priority)
        return Chosen(chosen, priority, self.row(chosen).certification or "")

    def row(self, reason: str) -> ReasonRow:
        """What is owed to whom; an unknown reason is as good as being asked for."""
        return self.rules.reasons.get(reason) or self.rules.reasons[FALLBACK]

    def deadlines(self, reason: str, now: datetime) -> Deadlines:
        """Within the desk's hours."""
        row = self.row(reason)
        return Deadlines(
            self.hours.after(now, timedelta(seconds=row.first_reply_s)),
            self.hours.after(now, timedelta(minutes=row.resolution_minutes)),
        )

    def next_reply_at(self, reason: str, now: datetime) -> datetime:
        """Until when a customer who has just spoken is to be answered."""
        return self.hours.after(now, timedelta(seconds=self.row(reason).next_reply_s))

    def callback_at(self, now: datetime) -> datetime:
        """Until when somebody who asks for it now is called back."""
        return self.hours.after(now, timedelta(minutes=self.rules.callback_minutes))


@cache
def packaged_matters() -> Matters:
    """By the rules that are shipped; for a desk without a bank behind it."""
    rules = Rules.load(Terms.load())
    calendar = Calendar(rules.holidays)
    return Matters.of(rules, {name: Opening(hours, calendar) for name, hours in rules.hours.items()})
