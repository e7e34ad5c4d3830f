"""What the bank remembers of one customer's habits: small, bounded, updated with every event.

A profile is a value: `observe` methods change a copy that the caller made with `copy()`; one that has been handed
to the cache is never changed again. Times are seconds since 1970 (UTC) as floats, amounts fen.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from banking_core.risk.windows import DAY_S, WINDOWS_S, bank_hour, bank_weekday

EVENTS_MAX = 400
EVENTS_KEPT_S = 31 * DAY_S
PAYEES_MAX = 128
NAMES_MAX = 256
DEVICES_MAX = 16
NETWORKS_MAX = 32
PLACES_MAX = 16
ONE_LOGIN_S = 10 * 60.0
BINS = 40  # of habit amounts, a quarter of a decade each, from 1 fen on
BIN_DECADES = 0.25

Code = Literal[0, 1, 2, 3, 4, 5, 6]
DRAFTED: Code = 0
PAID: Code = 1
LOGGED_IN: Code = 2
LOGIN_FAILED: Code = 3
CHANGED: Code = 4
STOPPED: Code = 5
PAID_NEW: Code = 6  # recorded besides PAID when the payee was paid for the first time
CODES = 7

ChangeKind = Literal["password", "phone", "device", "limit", "payee", "lock"]
CHANGE_KINDS: tuple[ChangeKind, ...] = ("password", "phone", "device", "limit", "payee", "lock")

Event = tuple[float, int, int, str]  # at_s, code, amount_fen, key
Seen = list[float]  # first_s, last_s, count
Paid = list[float]  # first_s, last_s, count, sum_fen, max_fen


@dataclass(slots=True)
class Habit:
    """Amounts of the customer's own payments: moments of the amount and of its logarithm, and a histogram."""

    count: int = 0
    mean_fen: float = 0.0
    m2_fen: float = 0.0
    mean_log: float = 0.0
    m2_log: float = 0.0
    max_fen: int = 0
    bins: list[int] = field(default_factory=lambda: [0] * BINS)

    def add(self, amount_fen: int) -> None:
        """Welford's update."""
        self.count += 1
        step = amount_fen - self.mean_fen
        self.mean_fen += step / self.count
        self.m2_fen += step * (amount_fen - self.mean_fen)
        log = math.log10(max(amount_fen, 1))
        step = log - self.mean_log
        self.mean_log += step / self.count
        self.m2_log += step * (log - self.mean_log)
        self.max_fen = max(self.max_fen, amount_fen)
        self.bins[bin_of(amount_fen)] += 1

    @property
    def std_fen(self) -> float:
        """Standard deviation in fen; 0 with fewer than two payments."""
        return math.sqrt(self.m2_fen / (self.count - 1)) if self.count > 1 else 0.0

    @property
    def std_log(self) -> float:
        """Standard deviation of log10(fen); 0 with fewer than two payments."""
        return math.sqrt(self.m2_log / (self.count - 1)) if self.count > 1 else 0.0

    def quantile_fen(self, share: float) -> float:
        """The amount below which `share` (0 to 1) of the payments lie, to a quarter of a decade; 0 without any."""
        wanted, below = share * self.count, 0
        for index, number in enumerate(self.bins):
            if number and below + number >= wanted:
                within = (wanted - below) / number
                return float(min(10 ** ((index + within) * BIN_DECADES), self.max_fen))
            below += number
        return 0.0

    def rank(self, amount_fen: int) -> float:
        """Share of the payments (0 to 1) that were clearly smaller; 0.5 without any."""
        if not self.count:
            return 0.5
        index = bin_of(amount_fen)
        return (sum(self.bins[:index]) + 0.5 * self.bins[index]) / self.count


def bin_of(amount_fen: int) -> int:
    """The histogram bin of an amount."""
    return min(BINS - 1, int(math.log10(max(amount_fen, 1)) / BIN_DECADES))


@dataclass
class Profile:
    """See the module. `upto_s` is the instant up to which the bank's records are read in, 0 for none.

    `has_password` keeps the first password from counting as a changed one.
    """

    events: list[Event] = field(default_factory=list)
    habit: Habit = field(default_factory=Habit)
    hours: list[int] = field(default_factory=lambda: [0] * 24)
    weekdays: list[int] = field(default_factory=lambda: [0] * 7)
    login_hours: list[int] = field(default_factory=lambda: [0] * 24)
    payees: dict[str, Paid] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    devices: dict[str, Seen] = field(default_factory=dict)
    networks: dict[str, Seen] = field(default_factory=dict)
    places: dict[str, Seen] = field(default_factory=dict)
    changes: dict[str, float] = field(default_factory=dict)
    first_s: float = 0.0
    active_days: int = 0
    last_day: int = 0
    last_paid_s: float = 0.0
    last_login_s: float = 0.0
    last_login_device: str = ""
    failed_since_login: int = 0
    last_device: str = ""
    last_network: str = ""
    last_place: str = ""
    last_seen_s: float = 0.0
    has_password: bool = False
    upto_s: float = 0.0

    # changing ---------------------------------------------------------------------------------------------------

    def copy(self) -> Profile:
        """An independent copy that may be changed."""
        return Profile.from_json(self.to_json())

    def observe_draft(self, at_s: float, amount_fen: int, payee: str) -> None:
        """An order was asked for."""
        self._event(at_s, DRAFTED, amount_fen, payee)

    def observe_paid(self, at_s: float, amount_fen: int, payee: str, name: str = "") -> None:
        """Money left; `payee` and `name` are fingerprints, empty when nobody is named."""
        self._event(at_s, PAID, amount_fen, payee)
        self.habit.add(amount_fen)
        self.hours[bank_hour(at_s)] += 1
        self.weekdays[bank_weekday(at_s)] += 1
        self.last_paid_s = max(self.last_paid_s, at_s)
        day = int(at_s // DAY_S)
        if day > self.last_day:
            self.last_day, self.active_days = day, self.active_days + 1
        if not self.first_s or at_s < self.first_s:
            self.first_s = at_s
        if payee:
            self._pay(at_s, amount_fen, payee)
        if name:
            self.names[name] = self.names.pop(name, 0) + 1
            _bound(self.names, NAMES_MAX)

    def _pay(self, at_s: float, amount_fen: int, payee: str) -> None:
        known = self.payees.pop(payee, None)
        if known is None:
            self._event(at_s, PAID_NEW, amount_fen, payee)
            known = [at_s, at_s, 0, 0, 0]
        known[1] = at_s
        known[2] += 1
        known[3] += amount_fen
        known[4] = max(known[4], amount_fen)
        self.payees[payee] = known  # at the end: the one paid longest ago is dropped first
        _bound(self.payees, PAYEES_MAX)

    def observe_login(self, at_s: float, *, ok: bool, device: str = "") -> None:
        """A log-in, or a failed try. Log-ins with one device that follow within minutes are the steps of one."""
        if not ok:
            self.failed_since_login += 1
            self._event(at_s, LOGIN_FAILED, 0, device)
            return
        same = device == self.last_login_device and 0 <= at_s - self.last_login_s < ONE_LOGIN_S
        self.failed_since_login = 0
        self.last_login_s, self.last_login_device = at_s, device
        if same:
            return
        self.login_hours[bank_hour(at_s)] += 1
        self._event(at_s, LOGGED_IN, 0, device)

    def observe_surroundings(
        self, at_s: float, *, device: str = "", network: str = "", place: str = ""
    ) -> None:
        """Where the customer was just seen; empty means unknown."""
        _see(self.devices, device, at_s, DEVICES_MAX)
        _see(self.networks, network, at_s, NETWORKS_MAX)
        _see(self.places, place, at_s, PLACES_MAX)
        self.last_device = device or self.last_device
        self.last_network = network or self.last_network
        self.last_place = place or self.last_place
        self.last_seen_s = at_s

    def observe_change(self, at_s: float, kind: ChangeKind) -> None:
        """Something that guards the money was changed."""
        self.changes[kind] = at_s
        self._event(at_s, CHANGED, 0, kind)

    def observe_stop(self, at_s: float, amount_fen: int) -> None:
        """The bank delayed, refused or handed an order to a human."""
        self._event(at_s, STOPPED, amount_fen, "")

    def _event(self, at_s: float, code: int, amount_fen: int, key: str) -> None:
        self.__dict__.pop("_windows", None)
        self.events.append((at_s, code, amount_fen, key))
        if len(self.events) > EVENTS_MAX or self.events[0][0] < at_s - EVENTS_KEPT_S:
            kept = [event for event in self.events if event[0] >= at_s - EVENTS_KEPT_S]
            self.events = kept[-EVENTS_MAX:]

    # reading ----------------------------------------------------------------------------------------------------

    @cached_property
    def _windows(self) -> _Columns:
        return _Columns.of(self.events)

    def window(self, now_s: float) -> list[WindowFacts]:
        """What happened in each window of `WINDOWS_S` up to `now_s`, the shortest window first."""
        return self._windows.facts(now_s)

    # keeping ----------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """JSON values only; `from_json` reads them back."""
        habit = self.habit
        data: dict[str, Any] = {
            "habit": [
                habit.count,
                habit.mean_fen,
                habit.m2_fen,
                habit.mean_log,
                habit.m2_log,
                habit.max_fen,
                list(habit.bins),
            ],
            "events": [list(event) for event in self.events],
        }
        for name in _LISTS:
            data[name] = list(getattr(self, name))
        for name in _PLAIN_DICTS:
            data[name] = dict(getattr(self, name))
        for name in _LIST_DICTS:
            data[name] = {key: list(value) for key, value in getattr(self, name).items()}
        for name in _SCALARS:
            data[name] = getattr(self, name)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Profile:
        """The profile that `to_json` made `data` from; keys it does not know are ignored, missing ones are empty."""
        habit = data.get("habit")
        profile = cls(
            events=[(event[0], event[1], event[2], event[3]) for event in data.get("events", ())],
            habit=Habit(*habit) if habit else Habit(),
        )
        for name in (*_LISTS, *_PLAIN_DICTS, *_LIST_DICTS, *_SCALARS):
            if name in data:
                setattr(profile, name, data[name])
        return profile


_LISTS = ("hours", "weekdays", "login_hours")
_PLAIN_DICTS = ("names", "changes")
_LIST_DICTS = ("payees", "devices", "networks", "places")
_SCALARS = (
    "first_s",
    "active_days",
    "last_day",
    "last_paid_s",
    "last_login_s",
    "last_login_device",
    "failed_since_login",
    "last_device",
    "last_network",
    "last_place",
    "last_seen_s",
    "has_password",
    "upto_s",
)


def _see(seen: dict[str, Seen], key: str, at_s: float, count_max: int) -> None:
    if not key:
        return
    known = seen.pop(key, None) or [at_s, at_s, 0]
    known[1] = at_s
    known[2] += 1
    seen[key] = known
    _bound(seen, count_max)


def _bound(values: dict[str, Any], count_max: int) -> None:
    while len(values) > count_max:
        del values[next(iter(values))]


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """Counts and sums of one window."""

    counts: tuple[int, ...]  # by code
    sums_fen: tuple[int, ...]  # by code
    max_fen: int  # of PAID
    payees: int  # distinct, paid
    night: int  # PAID between 23:00 and 6:00
    by_payee: Counter[str]  # PAID
    sum_by_payee_fen: dict[str, int]
    devices: int  # distinct, logged in


@dataclass(frozen=True)
class _Columns:
    """The events as columns, with running totals, so that a window is two look-ups."""

    at_s: NDArray[np.float64]
    counts: NDArray[np.int64]  # (n + 1, CODES) running
    sums_fen: NDArray[np.int64]  # (n + 1, CODES) running
    events: list[Event]

    @classmethod
    def of(cls, events: list[Event]) -> _Columns:
        ordered = sorted(events, key=lambda event: event[0])
        size = len(ordered)
        at_s = np.fromiter((event[0] for event in ordered), np.float64, size)
        codes = np.fromiter((event[1] for event in ordered), np.int64, size)
        amounts = np.fromiter((min(event[2], 10**15) for event in ordered), np.int64, size)
        counts = np.zeros((size + 1, CODES), np.int64)
        sums = np.zeros((size + 1, CODES), np.int64)
        rows = np.arange(1, size + 1)
        counts[rows, codes] = 1
        sums[rows, codes] = amounts
        return cls(at_s, counts.cumsum(axis=0), sums.cumsum(axis=0), ordered)

    def facts(self, now_s: float) -> list[WindowFacts]:
        """The windows end at `now_s`, inclusive."""
        end = int(np.searchsorted(self.at_s, now_s, side="right"))
        starts = np.searchsorted(self.at_s, now_s - np.asarray(WINDOWS_S), side="left")
        starts = np.minimum(starts, end)
        counts = (self.counts[end] - self.counts[starts]).tolist()
        sums = (self.sums_fen[end] - self.sums_fen[starts]).tolist()
        found: list[WindowFacts] = []
        max_fen, night = 0, 0
        by_payee: Counter[str] = Counter()
        sum_by_payee: dict[str, int] = {}
        devices: set[str] = set()
        upto = end
        for index, start in enumerate(
            starts.tolist()
        ):  # each longer window adds what lies before the shorter one
            for at_s, code, amount_fen, key in self.events[start:upto]:
                if code == PAID:
                    max_fen = max(max_fen, amount_fen)
                    night += bank_hour(at_s) in NIGHT_HOURS
                    if key:
                        by_payee[key] += 1
                        sum_by_payee[key] = sum_by_payee.get(key, 0) + amount_fen
                elif code == LOGGED_IN and key:
                    devices.add(key)
            upto = start
            found.append(
                WindowFacts(
                    counts=tuple(counts[index]),
                    sums_fen=tuple(sums[index]),
                    max_fen=max_fen,
                    payees=len(by_payee),
                    night=night,
                    by_payee=by_payee.copy(),
                    sum_by_payee_fen=dict(sum_by_payee),
                    devices=len(devices),
                )
            )
        return found


NIGHT_HOURS = frozenset({23, 0, 1, 2, 3, 4, 5})
