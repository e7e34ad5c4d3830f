"""Reading rules.yml: typed rows that the services look up."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from banking_core.checked import checked_function
from banking_core.configuration.errors import RulesError
from banking_core.configuration.files import read_mapping
from banking_core.configuration.terms import Terms

DEFAULT_PATH = Path(__file__).with_name("rules.yml")
PPM_PER_PERCENT = 10_000
HolidayRule = Literal["same_day", "next_working_day", "previous_working_day"]
Level = Literal["standard", "gold", "vip"]
Month = Annotated[int, Field(ge=1, le=12)]


class Strict(BaseModel):
    """Unknown keys are slips of the pen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InterestRate(Strict):
    """What one kind of account earns from a day on; `rate` is the key of a `_percent` term."""

    account: Literal["current", "deposit"]
    begins: date
    rate: str


class InterestRules(Strict):
    """How interest is counted and when it is paid."""

    rates: tuple[InterestRate, ...]
    day_count: Literal[360, 365]
    whole_yuan: int = Field(ge=1, le=1_000)
    settle_months: tuple[Month, ...] = Field(min_length=1)


class YearOfHolidays(Strict):
    """The days off of one year, first and last of each holiday, and the weekend days worked instead."""

    year: int = Field(ge=2000, le=2200)
    days_off: tuple[tuple[date, date], ...]
    worked: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _of_one_year(self) -> YearOfHolidays:
        days = [*(day for span in self.days_off for day in span), *self.worked]
        if any(day.year != self.year for day in days) or any(first > last for first, last in self.days_off):
            raise ValueError("a day of another year, or a holiday that ends before it begins")
        return self


class HolidayRules(Strict):
    """Which days are not working days; see `configuration.calendar`."""

    every_year: tuple[Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")], ...]
    years: tuple[YearOfHolidays, ...]


class MandateRules(Strict):
    """How scheduled and recurring orders are made; see `mandates`."""

    kinds: tuple[str, ...]
    run_at: time
    holiday_rule: HolidayRule
    retry_codes: tuple[str, ...]
    retry_times: int = Field(ge=0, le=30)
    late_days_max: int = Field(ge=0, le=366)
    failed_max: int = Field(ge=1, le=100)
    count_max: int = Field(ge=1, le=10_000)
    ahead_days_max: int = Field(ge=1, le=3660)


class LimitRow(Strict):
    """What orders of one group may move at once, in a day and in a month; figures are keys of `_yuan` terms.

    `levels`, `channels` and `payee_hours_below` (the key of an `_hours` term) are conditions.
    """

    group: str = Field(min_length=1, max_length=32)
    words: str = ""
    levels: tuple[Level, ...] | None = None
    channels: tuple[str, ...] | None = None
    payee_hours_below: str | None = None
    per_transaction: str | None = None
    per_day: str | None = None
    per_month: str | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> LimitRow:
        if not self.figures:
            raise ValueError("a row without a figure")
        return self

    @property
    def figures(self) -> tuple[str, ...]:
        """The keys of its figures."""
        keys = (self.per_transaction, self.per_day, self.per_month)
        return tuple(key for key in keys if key is not None)


class Hours(Strict):
    """Opening hours, in bank time; they end on the day they begin."""

    days: Literal["every", "working"]
    opens: time
    closes: time

    @model_validator(mode="after")
    def _opens_first(self) -> Hours:
        if not self.opens < self.closes:
            raise ValueError("it closes before it opens")
        return self


class OpeningRow(Strict):
    """Kinds of orders that can be made within hours only."""

    kinds: tuple[str, ...] = Field(min_length=1)
    hours: str


class FeeRow(Strict):
    """The fee of one kind of order: a `_yuan` term, or a `_percent` term of the amount, from `least` to `most`."""

    kind: str
    route: str | None = None
    levels: tuple[Level, ...] | None = None
    up_to: str | None = None
    fee: str
    least: str | None = None
    most: str | None = None

    @model_validator(mode="after")
    def _is_flat_or_a_share(self) -> FeeRow:
        if not self.fee.endswith(("_yuan", "_percent")):
            raise ValueError("a fee is a _yuan or a _percent term")
        if self.fee.endswith("_yuan") and (self.least or self.most):
            raise ValueError("a flat fee has no bounds")
        return self


class ArrivalRow(Strict):
    """When the money of one kind of order is there; see rules.yml."""

    kind: str
    route: str | None = None
    up_to: str | None = None
    text: str
    within_minutes: int = Field(ge=0, le=60 * 24 * 30)
    hours: str | None = None


class ReasonRow(Strict):
    """What is owed to customers who come to a human for one reason; see rules.yml."""

    general: bool = False
    told: bool = False
    level: Level | None = None
    calls_back: bool = False
    certification: str | None = None
    role: Literal["agent", "senior", "supervisor"] | None = None
    priority: int = Field(ge=1, le=99)
    first_reply_s: int = Field(ge=10, le=86_400)
    next_reply_s: int = Field(ge=10, le=86_400)
    resolution_minutes: int = Field(ge=1, le=60 * 24 * 30)


class AgentSkill(Strict):
    """Something agents are good at: the beginnings of the names of the skills that belong to it."""

    words: str = Field(min_length=2, max_length=12)
    matters: tuple[Annotated[str, Field(min_length=3)], ...] = Field(min_length=1)


class ServiceRules(Strict):
    """How people serve at the desk; reasons by their code."""

    hours: str
    callback_minutes: int = Field(ge=5, le=60 * 24 * 30)
    assignment: Literal["claim", "offer"]
    offer_s: int = Field(ge=5, le=600)
    rating_hours: int = Field(ge=1, le=24 * 30)
    skills: dict[str, AgentSkill]
    languages: dict[str, str] = Field(min_length=1)
    certifications: dict[str, str]
    identity_certification: str
    reasons: dict[str, ReasonRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_what_is_there(self) -> ServiceRules:
        if "asked" not in self.reasons:
            raise ValueError("the reason 'asked' stands for every other and must be there")
        named = {row.certification for row in self.reasons.values()} - {None} | {self.identity_certification}
        if not named <= self.certifications.keys():
            raise ValueError("a reason asks for a certification that is not listed")
        return self


class ComplaintCategory(Strict):
    """What a complaint is about, and the words that tell; see rules.yml."""

    words: str = Field(min_length=2, max_length=12)
    hears: tuple[Annotated[str, Field(pattern=r"^[\w\u4e00-\u9fff]+$")], ...] = ()


class ComplaintRules(Strict):
    """How complaints are sorted and until when on a day they are due."""

    due_by: time
    categories: dict[str, ComplaintCategory] = Field(min_length=1)


class Rules(Strict):
    """Every section of rules.yml."""

    interest: InterestRules
    holidays: HolidayRules
    mandates: MandateRules
    limits: tuple[LimitRow, ...]
    hours: dict[str, Hours]
    opening: tuple[OpeningRow, ...]
    fees: tuple[FeeRow, ...]
    arrivals: tuple[ArrivalRow, ...]
    service: ServiceRules
    complaints: ComplaintRules

    @classmethod
    @checked_function
    def load(cls, terms: Terms, override: Path | None = None, *, default: Path = DEFAULT_PATH) -> Rules:
        """The packaged rules, with the sections of a bank's own file in place of theirs.

        Raises RulesError, and UnknownTerm for a row that names a term that is not there.
        """
        sections = dict(read_mapping(default, RulesError))
        if override is not None:
            sections |= read_mapping(override, RulesError)
        try:
            rules = cls.model_validate(sections)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise RulesError(f"rules at {place}: {first['msg']}") from error
        rules.check(terms)
        return rules

    @checked_function
    def check(self, terms: Terms) -> None:
        """Raises UnknownTerm or TermsError for a row that names a term it cannot use, RulesError for unknown hours."""
        for rate in self.interest.rates:
            percent_to_ppm(terms, rate.rate)
        amounts = [key for limit in self.limits for key in limit.figures]
        for fee in self.fees:
            amounts += [key for key in (fee.up_to, fee.least, fee.most) if key is not None]
            if fee.fee.endswith("_yuan"):
                amounts.append(fee.fee)
            else:
                percent_to_ppm(terms, fee.fee)
        amounts += [row.up_to for row in self.arrivals if row.up_to is not None]
        for key in amounts:
            terms.fen(key)
        for limit in self.limits:
            if limit.payee_hours_below is not None:
                terms.integer(limit.payee_hours_below)
        terms.require([row.text for row in self.arrivals])
        named = [row.hours for row in self.opening]
        named += [row.hours for row in self.arrivals if row.hours is not None]
        named.append(self.service.hours)
        if unknown := sorted(set(named) - self.hours.keys()):
            raise RulesError(f"no hours called {', '.join(unknown)}")


def percent_to_ppm(terms: Terms, key: str) -> int:
    """A `_percent` term in millionths, exactly: 0.05 % is 500. Raises UnknownTerm, RulesError."""
    ppm = terms.number(key) * PPM_PER_PERCENT
    if not key.endswith("_percent") or ppm != ppm.to_integral_value() or not 0 <= ppm <= 10**6:
        raise RulesError(f"term {key!r} is no rate of 0 to 100 percent with at most four decimals")
    return int(ppm)
