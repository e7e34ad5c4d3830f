"""What personas.yml and merchants.yml may say, checked when they are read."""

from __future__ import annotations

from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field

from banking_core.providers.protocols import Biller
from banking_core.yaml_loader import LOADER

Direction = Literal["in", "out"]
HERE = Path(__file__).parent


class Strict(BaseModel):
    """Unknown keys are slips of the pen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Merchant(Strict):
    """Who is paid, for what, and what one purchase costs (yuan, from-to)."""

    name: str
    summary: str
    category: str
    yuan: tuple[float, float]
    step_fen: int = 1
    minus_fen: int = 0
    weight: int = 1


class Window(Strict):
    """A stretch of every year, or of the years given; a holiday is lived like a weekend."""

    days: tuple[str, str] | None = None
    years: dict[int, tuple[date, date]] = {}
    holiday: bool = False

    def covers(self, day: date) -> bool:
        """Whether the window holds this day."""
        if self.days is not None:
            return self.days[0] <= f"{day:%m-%d}" <= self.days[1]
        first, last = self.years.get(day.year, (date.max, date.min))
        return first <= day <= last


class Market(Strict):
    """Pools of merchants and the windows of the year."""

    pools: dict[str, tuple[Merchant, ...]]
    windows: dict[str, Window]


class Scheduled(Strict):
    """One payment on a day of the month, of the week, or every day."""

    rule: Literal["scheduled"]
    day: int = 1
    months: tuple[int, ...] = tuple(range(1, 13))
    weekly: int | None = None
    daily: bool = False
    workday: bool = False
    time: time
    direction: Direction = "out"
    yuan: float
    spread: float = 0.0
    step_fen: int = 1
    factors: tuple[float, ...] = (1.0,) * 12
    raise_percent: float = 0.0
    raise_month: int = 1
    summary: str
    category: str = "utilities"
    party: str = ""
    person: str | None = None
    biller: Biller | None = None
    provider: str = ""
    account_no: str = ""
    address: str = ""
    unpaid: bool = False


class Habit(Strict):
    """Purchases from a pool; `weekday` and `weekend` are the expected numbers a day."""

    rule: Literal["habit"]
    pool: str
    weekday: float
    weekend: float
    hours: tuple[int, int]
    window: str | None = None
    not_in: tuple[str, ...] = ()
    direction: Direction = "out"
    account: str = "current"
    factor: float = 1.0
    mandatory: bool = False


class Interest(Strict):
    """Quarterly interest, percent a year, on the average balance of an account."""

    rule: Literal["interest"]
    account: str = "current"
    rate_percent: float


class Sweep(Strict):
    """What the current account holds over `keep_yuan` goes to the deposit account, in whole units."""

    rule: Literal["sweep"]
    day: int
    keep_yuan: int
    unit_yuan: int


class Repay(Strict):
    """The credit card is paid off from the current account."""

    rule: Literal["repay"]
    day: int


Flow = Annotated[Scheduled | Habit | Interest | Sweep | Repay, Field(discriminator="rule")]


class AccountPlan(Strict):
    """An account of a persona; `target_yuan` is the balance the history must end with."""

    key: str
    kind: Literal["current", "deposit", "credit"]
    name: str
    target_yuan: float = 0.0
    opening_yuan: float = 0.0
    limit_yuan: int = 0


class PayeePlan(Strict):
    """An entry of the payee book: another persona, or an account at another bank."""

    nickname: str = ""
    person: str | None = None
    name: str = ""
    bank_code: str | None = None
    bank_name: str = ""
    number: str = ""


class Persona(Strict):
    """One invented customer. Only those with `login` have a password."""

    key: str
    name: str
    phone: str
    born: date
    place: str
    since: date
    login: str | None = None
    level: str = "standard"
    segment: str = ""
    accounts: tuple[AccountPlan, ...]
    flows: tuple[Flow, ...] = ()
    payees: tuple[PayeePlan, ...] = ()


class Cast(Strict):
    """Everybody."""

    password: str
    people: tuple[Persona, ...]


Document = TypeVar("Document", bound=Strict)


@cache
def read_cast() -> Cast:
    """The people of the demo."""
    return _read("personas.yml", Cast)


@cache
def read_market() -> Market:
    """Where they spend."""
    return _read("merchants.yml", Market)


def _read(name: str, model: type[Document]) -> Document:
    return model.model_validate(yaml.load((HERE / name).read_text(encoding="utf-8"), LOADER))
