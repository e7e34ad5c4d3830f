"""Reading the body of an order that makes a mandate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, get_args

from banking_core.configuration.rules import HolidayRule, MandateRules
from banking_core.mandates.errors import MandateInvalid
from banking_core.mandates.schedule import Frequency, Schedule
from banking_core.orders.types import Body

TITLE_LENGTH_MAX = 16
RUNS_MAX = 360
YEARS_MAX = 10
HOLIDAY_WORDS: dict[str, str] = {
    "same_day": "照常办理",
    "next_working_day": "顺延到下一个工作日",
    "previous_working_day": "提前到上一个工作日",
}
_DAYS = {"weekly": range(1, 8), "monthly": range(1, 32)}


@dataclass(frozen=True)
class MandateBody:
    """What is agreed: an order of `kind` with `order` as its body, on the days of `schedule`."""

    kind: str
    order: Mapping[str, Any]
    schedule: Schedule
    runs_max: int | None
    holiday_rule: HolidayRule
    title: str

    @classmethod
    def read(cls, body: Mapping[str, Any], rules: MandateRules, today: date) -> MandateBody:
        """The body of a wish; its first due day is after `today`. Raises MandateInvalid naming the field."""
        wish = cls.stored(body, rules)
        tomorrow = today + timedelta(days=1)
        if wish.schedule.frequency != "once" and body.get("starts_on") is None:
            schedule = wish.schedule
            wish = cls(
                wish.kind,
                wish.order,
                Schedule(schedule.frequency, tomorrow, schedule.day, schedule.ends_on),
                wish.runs_max,
                wish.holiday_rule,
                wish.title,
            )
        first = wish.schedule.first()
        if wish.schedule.starts_on < tomorrow:
            text = "约定要从明天或以后开始，今天就要转的话请说“转账”，马上就能办。"
            raise MandateInvalid("starts today or earlier", field="starts_on", customer_text=text)
        if first is None:
            text = "结束的日子在第一次之前，一次也不会转，请再说一次开始和结束的日子。"
            raise MandateInvalid("no due day before the end", field="ends_on", customer_text=text)
        if first > today + timedelta(days=rules.ahead_days_max):
            text = f"最多可以约定{rules.ahead_days_max}天以内的日子，请换一个日子。"
            raise MandateInvalid("too far ahead", field="starts_on", customer_text=text)
        if wish.schedule.ends_on is not None and wish.schedule.ends_on.year > today.year + YEARS_MAX:
            raise MandateInvalid("ends too far ahead", field="ends_on")
        return wish

    @classmethod
    def stored(cls, body: Mapping[str, Any], rules: MandateRules) -> MandateBody:
        """The fields checked for form only; raises MandateInvalid."""
        kind, order, frequency = body.get("kind"), body.get("order"), _frequency(body)
        if not isinstance(kind, str) or kind not in rules.kinds:
            raise MandateInvalid("this kind cannot be agreed", field="kind")
        if not isinstance(order, Mapping):
            raise MandateInvalid("the order is not an object", field="order")
        holiday_rule = body.get("holiday_rule") or rules.holiday_rule
        if not isinstance(holiday_rule, str) or holiday_rule not in get_args(HolidayRule):
            raise MandateInvalid("unknown holiday rule", field="holiday_rule")
        starts_on = _date(body, "starts_on")
        if starts_on is None and frequency == "once":
            raise MandateInvalid("no day", field="starts_on")
        once = frequency == "once"
        return cls(
            kind=kind,
            order=order,
            schedule=Schedule(
                frequency,
                starts_on or date.min + timedelta(days=1),
                None if once else _count(body, "day", _DAYS[frequency]),
                None if once else _date(body, "ends_on"),
            ),
            runs_max=None
            if once or body.get("runs_max") is None
            else _count(body, "runs_max", range(1, RUNS_MAX + 1)),
            holiday_rule=holiday_rule,  # type: ignore[arg-type]
            title=_title(body),
        )

    def normalised(self, order: Body) -> Body:
        """The body as it is stored with the order, `order` being the normalised inner one."""
        return {
            "kind": self.kind,
            "order": order,
            "frequency": self.schedule.frequency,
            "starts_on": self.schedule.starts_on.isoformat(),
            "day": self.schedule.day,
            "ends_on": None if self.schedule.ends_on is None else self.schedule.ends_on.isoformat(),
            "runs_max": self.runs_max,
            "holiday_rule": self.holiday_rule,
            "title": self.title,
        }


def _frequency(body: Mapping[str, Any]) -> Frequency:
    value = body.get("frequency")
    for known in get_args(Frequency):
        if value == known:
            found: Frequency = known
            return found
    raise MandateInvalid("unknown frequency", field="frequency")


def _date(body: Mapping[str, Any], field: str) -> date | None:
    value = body.get(field)
    if value is None:
        return None
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        raise MandateInvalid("not a date", field=field)
    return found


def _count(body: Mapping[str, Any], field: str, allowed: range) -> int:
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise MandateInvalid(f"{field} is not {allowed.start} to {allowed.stop - 1}", field=field)
    return value


def _title(body: Mapping[str, Any]) -> str:
    value = body.get("title") or ""
    if not isinstance(value, str) or len(value.strip()) > TITLE_LENGTH_MAX or not value.strip().isprintable():
        raise MandateInvalid("the title is not a short line of text", field="title")
    return value.strip()
