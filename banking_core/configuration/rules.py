"""Limits, fees and arrival times as rows of data.

The rows (limits.yml, fees.yml, arrival.yml) say when they apply and name terms; the figures stand in terms.yml
only. In every table the first row that applies decides, for limits separately for each of the three amounts.
All rows are checked against the terms when the bank is built, so that a misspelt term shows at start.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from banking_core.clock import BANK_ZONE
from banking_core.configuration.calendar import BankCalendar
from banking_core.configuration.errors import TermsError
from banking_core.configuration.reading import read_yaml
from banking_core.configuration.terms import Terms

FOLDER = Path(__file__).parent
Route = Literal["same_bank", "interbank"]
Level = Literal["standard", "gold", "vip"]
_HOURS = re.compile(r"(\d{1,2}):(\d{2})至(\d{1,2}):(\d{2})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
Row = TypeVar("Row", bound="RuleRow")


class RuleRow(BaseModel):
    """A row of any table: nothing but the fields it declares, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LimitRow(RuleRow):
    """A row of limits.yml."""

    group: str
    channel: str | None = None
    level: Level | None = None
    payee_age_days_below: str | None = None
    per_transaction: str | None = None
    per_day: str | None = None
    per_month: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> LimitRow:
        if not (self.per_transaction or self.per_day or self.per_month):
            raise ValueError("names no amount")
        return self


class FeeRow(RuleRow):
    """A row of fees.yml."""

    kind: str
    route: Route | None = None
    level: Level | None = None
    fixed: str | None = None
    percent: str | None = None
    min: str | None = None
    max: str | None = None

    @model_validator(mode="after")
    def _one_fee(self) -> FeeRow:
        if (self.fixed is None) == (self.percent is None) or (self.fixed and (self.min or self.max)):
            raise ValueError("wants exactly one of fixed and percent; min and max go with percent")
        return self


class ArrivalRow(RuleRow):
    """A row of arrival.yml."""

    kind: str
    route: Route
    amount_up_to: str | None = None
    days: Literal["working"] | None = None
    hours: str | None = None
    at_once: str | None = None
    within_hours: str | None = None
    next_working_day_by: str | None = None

    @property
    def is_conditional(self) -> bool:
        """True when there are amounts or moments it does not apply to."""
        return any((self.amount_up_to, self.days, self.hours))

    @model_validator(mode="after")
    def _one_time(self) -> ArrivalRow:
        if [self.at_once, self.within_hours, self.next_working_day_by].count(None) != 2:
            raise ValueError("wants exactly one of at_once, within_hours and next_working_day_by")
        return self


@dataclass(frozen=True)
class LimitSubject:
    """Whose limits are asked for. `payee_age_days` None: the payee's age does not matter (own account, a bill)."""

    group: str
    channel: str
    level: str
    payee_age_days: int | None = None


@dataclass(frozen=True)
class LimitFigures:
    """Amounts in fen. `is_new_payee` tells that the first figure is the one for new payees."""

    per_transaction_fen: int
    per_day_fen: int
    per_month_fen: int
    is_new_payee: bool = False


@dataclass(frozen=True)
class Arrival:
    """When the money arrives at the latest, and how that is said in the read-back."""

    at: datetime
    text: str


class Rules:
    """The three tables over the terms and the calendar."""

    def __init__(
        self,
        terms: Terms,
        calendar: BankCalendar,
        limits: Sequence[LimitRow],
        fees: Sequence[FeeRow],
        arrivals: Sequence[ArrivalRow],
    ) -> None:
        self._terms = terms
        self.calendar = calendar
        self.limit_rows = tuple(limits)
        self.fee_rows = tuple(fees)
        self.arrival_rows = tuple(arrivals)
        self._check()

    @classmethod
    def load(cls, terms: Terms, folder: Path | None = None) -> Rules:
        """The packaged tables; a file of the same name in the bank's own `folder` replaces one wholly.

        Raises TermsError naming file and row.
        """

        def path(name: str) -> Path:
            own = None if folder is None else folder / name
            return own if own is not None and own.exists() else FOLDER / name

        return cls(
            terms,
            BankCalendar.load(path("holidays.yml")),
            _rows(path("limits.yml"), LimitRow),
            _rows(path("fees.yml"), FeeRow),
            _rows(path("arrival.yml"), ArrivalRow),
        )

    def limits(self, subject: LimitSubject) -> LimitFigures:
        """The amounts that hold for a customer, channel and payee. Raises TermsError for an unknown group."""
        rows = [row for row in self.limit_rows if self._limit_applies(row, subject)]
        figures: dict[str, int] = {}
        new_payee = False
        for field in ("per_transaction", "per_day", "per_month"):
            row = next((row for row in rows if getattr(row, field)), None)
            if row is None:
                raise TermsError(f"no {field} limit for group {subject.group!r}")
            figures[f"{field}_fen"] = self._terms.fen(getattr(row, field))
            if field == "per_transaction":
                new_payee = row.payee_age_days_below is not None
        return LimitFigures(**figures, is_new_payee=new_payee)

    def fee_fen(self, *, kind: str, amount_fen: int, level: str, route: Route | None = None) -> int:
        """What the order costs, in fen. Raises TermsError when no row applies."""
        for row in self.fee_rows:
            if row.kind == kind and row.route in (None, route) and row.level in (None, level):
                return self._fee(row, amount_fen)
        raise TermsError(f"no fee for {kind!r} by route {route!r}")

    def arrival(self, *, kind: str, route: Route, amount_fen: int, now: datetime) -> Arrival:
        """When the money of an order given `now` arrives. Raises TermsError when no row applies."""
        local = now.astimezone(BANK_ZONE)
        for row in self.arrival_rows:
            if (row.kind, row.route) == (kind, route) and self._arrival_applies(row, amount_fen, local):
                return self._arrival(row, local)
        raise TermsError(f"no arrival time for {kind!r} by route {route!r}")

    def _limit_applies(self, row: LimitRow, subject: LimitSubject) -> bool:
        if row.group != subject.group or row.channel not in (None, subject.channel):
            return False
        if row.level not in (None, subject.level):
            return False
        if row.payee_age_days_below is None:
            return True
        age = subject.payee_age_days
        return age is not None and age < self._terms.integer(row.payee_age_days_below)

    def _fee(self, row: FeeRow, amount_fen: int) -> int:
        if row.fixed is not None:
            return self._terms.fen(row.fixed)
        assert row.percent is not None, "a row has one of the two"
        exact = amount_fen * self._terms.number(row.percent) / 100
        fee_fen = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
        if row.min is not None:
            fee_fen = max(fee_fen, self._terms.fen(row.min))
        return min(fee_fen, self._terms.fen(row.max)) if row.max is not None else fee_fen

    def _arrival_applies(self, row: ArrivalRow, amount_fen: int, local: datetime) -> bool:
        if row.amount_up_to is not None and amount_fen > self._terms.fen(row.amount_up_to):
            return False
        if row.days == "working" and not self.calendar.is_working_day(local.date()):
            return False
        if row.hours is None:
            return True
        opens, closes = parse_hours(self._terms.text(row.hours))
        return opens <= local.time() < closes

    def _arrival(self, row: ArrivalRow, local: datetime) -> Arrival:
        if row.at_once is not None:
            return Arrival(local.astimezone(UTC), self._terms.text(row.at_once))
        if row.within_hours is not None:
            hours = self._terms.integer(row.within_hours)
            at = local + timedelta(hours=hours)
            return Arrival(at.astimezone(UTC), f"{hours}小时内（{at:%m月%d日 %H:%M}前）")
        assert row.next_working_day_by is not None, "a row has one of the three"
        by = parse_time(self._terms.text(row.next_working_day_by))
        at = datetime.combine(self.calendar.next_working_day(local.date()), by, tzinfo=BANK_ZONE)
        return Arrival(at.astimezone(UTC), f"下一个工作日（{at:%m月%d日 %H:%M}前）")

    def _check(self) -> None:
        """Every term exists and has the right kind, and every kind and route has an answer at any moment."""
        for row in self.limit_rows:
            for amount in (row.per_transaction, row.per_day, row.per_month):
                _ = amount and self._terms.fen(amount)
            _ = row.payee_age_days_below and self._terms.integer(row.payee_age_days_below)
        for fee in self.fee_rows:
            for amount in (fee.fixed, fee.min, fee.max):
                _ = amount and self._terms.fen(amount)
            _ = fee.percent and self._terms.number(fee.percent)
        for arrival in self.arrival_rows:
            _ = arrival.amount_up_to and self._terms.fen(arrival.amount_up_to)
            _ = arrival.hours and parse_hours(self._terms.text(arrival.hours))
            _ = arrival.at_once and self._terms.text(arrival.at_once)
            _ = arrival.within_hours and self._terms.integer(arrival.within_hours)
            _ = arrival.next_working_day_by and parse_time(self._terms.text(arrival.next_working_day_by))
        last = {(row.kind, row.route): row for row in self.arrival_rows}
        if open_ended := sorted(key for key, row in last.items() if row.is_conditional):
            raise TermsError(f"arrival.yml: the last row of {open_ended[0]} does not apply always")


def parse_hours(text: str) -> tuple[time, time]:
    """'8:30至17:15' -> the two times; raises TermsError."""
    match = _HOURS.fullmatch(text)
    if match is None:
        raise TermsError(f"{text!r} are not hours such as 8:30至17:15")
    opens, closes = parse_time(f"{match[1]}:{match[2]}"), parse_time(f"{match[3]}:{match[4]}")
    if opens >= closes:
        raise TermsError(f"{text!r} end before they begin")
    return opens, closes


def parse_time(text: str) -> time:
    """'12:00' -> a time; raises TermsError."""
    match = _TIME.fullmatch(text)
    try:
        if match is not None:
            return time(int(match[1]), int(match[2]))
    except ValueError:
        pass
    raise TermsError(f"{text!r} is not a time such as 12:00")


def _rows(path: Path, model: type[Row]) -> list[Row]:
    content = read_yaml(path)
    if not isinstance(content, list):
        raise TermsError(f"{path.name} is not a list of rows")
    rows: list[Row] = []
    for place, entry in enumerate(content, start=1):
        try:
            rows.append(model.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "row"
            raise TermsError(f"{path.name}, row {place}, {where}: {first['msg']}") from None
    return rows
