"""A context with what several features need worked out once: local time, windows, the payee's history, habits."""

from __future__ import annotations

from datetime import datetime

from banking_core.clock import BANK_ZONE
from banking_core.risk.context import RiskContext, Signals, Surroundings
from banking_core.risk.profile import Profile, Seen
from banking_core.risk.windows import DAY_S, HOUR_S

NEVER_DAYS = 3650.0
NEVER_HOURS = 9999.0
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


class Moment:
    """Plain attributes, all finite; amounts in yuan, ages in days or hours, never negative."""

    __slots__ = (
        "amount",
        "available",
        "bank_time",
        "book_age_days",
        "context",
        "device",
        "fee",
        "habit",
        "habit_mean",
        "hour_share",
        "hours_total",
        "log_z",
        "network",
        "now_s",
        "paid_30d",
        "paid_count_to_payee",
        "paid_max_to_payee",
        "paid_sum_to_payee",
        "payee",
        "payee_first_days",
        "payee_key",
        "payee_last_days",
        "phrases",
        "place",
        "profile",
        "quantiles",
        "rank",
        "signals",
        "surroundings",
        "weekday_share",
        "windows",
        "z",
    )

    def __init__(self, context: RiskContext) -> None:
        self.context = context
        self.profile: Profile = context.profile
        self.signals: Signals = context.signals
        self.surroundings: Surroundings = context.surroundings
        self.now_s = context.at.timestamp()
        self.bank_time: datetime = context.at.astimezone(BANK_ZONE)
        self.amount = max(context.amount_fen, 0) / 100
        self.fee = max(context.fee_fen, 0) / 100
        account = context.account
        self.available = max(account.available_fen, 0) / 100 if account is not None else 0.0
        self.phrases = sum(context.signals.phrases.values())
        self._habits()
        self._payee()
        self._seen()
        self.windows = self.profile.window(self.now_s)
        self.paid_30d = self.windows[4].sums_fen[1] / 100

    def _habits(self) -> None:
        profile, habit = self.profile, self.profile.habit
        self.habit = habit
        self.habit_mean = habit.mean_fen / 100
        self.quantiles = tuple(habit.quantile_fen(share) / 100 for share in QUANTILES)
        self.rank = habit.rank(self.context.amount_fen)
        spread_fen = max(habit.std_fen, 0.05 * habit.mean_fen, 100.0)
        self.z = (self.context.amount_fen - habit.mean_fen) / spread_fen if habit.count >= 3 else 0.0
        self.log_z = 0.0
        if habit.count >= 3:
            self.log_z = (log10_fen(self.context.amount_fen) - habit.mean_log) / max(habit.std_log, 0.15)
        self.hours_total = sum(profile.hours)
        hour = self.bank_time.hour
        near = profile.hours[hour - 1] + profile.hours[hour] + profile.hours[(hour + 1) % 24]
        self.hour_share = (near + 1) / (self.hours_total + 8)
        self.weekday_share = (profile.weekdays[self.bank_time.weekday()] + 1) / (self.hours_total + 7)

    def _payee(self) -> None:
        payee = self.context.payee
        self.payee = payee
        self.payee_key = payee.key if payee is not None else ""
        paid = self.profile.payees.get(self.payee_key) if self.payee_key else None
        first_s, last_s, count, sum_fen, max_fen = paid or (0.0, 0.0, 0.0, 0.0, 0.0)
        self.paid_count_to_payee = count
        self.paid_sum_to_payee = sum_fen / 100
        self.paid_max_to_payee = max_fen / 100
        self.payee_first_days = self.days_since(first_s)
        self.payee_last_days = self.days_since(last_s)
        created = payee.book_created_at if payee is not None else None
        self.book_age_days = self.days_since(created.timestamp()) if created is not None else NEVER_DAYS

    def _seen(self) -> None:
        profile, around = self.profile, self.surroundings
        self.device: Seen | None = profile.devices.get(around.device) if around.device else None
        self.network: Seen | None = profile.networks.get(around.network) if around.network else None
        self.place: Seen | None = profile.places.get(around.place) if around.place else None

    def days_since(self, at_s: float) -> float:
        """Days since then, 0 to ten years; ten years when it never was (0)."""
        return min(max(self.now_s - at_s, 0.0) / DAY_S, NEVER_DAYS) if at_s else NEVER_DAYS

    def hours_since(self, at_s: float) -> float:
        """Hours since then, 0 to 9999; 9999 when it never was (0)."""
        return min(max(self.now_s - at_s, 0.0) / HOUR_S, NEVER_HOURS) if at_s else NEVER_HOURS

    def hours_since_change(self, kind: str) -> float:
        """Hours since something that guards the money was last changed."""
        return self.hours_since(self.profile.changes.get(kind, 0.0))


def log10_fen(amount_fen: int) -> float:
    """Logarithm of an amount of at least one fen."""
    from math import log10

    return log10(max(amount_fen, 1))


def ratio(value: float, base: float, most: float = 1e4) -> float:
    """`value / base`, at most `most`; 0 when there is nothing to compare with."""
    return min(value / base, most) if base > 0 else 0.0
