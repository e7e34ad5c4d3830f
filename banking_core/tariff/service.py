"""What an order costs and when its money is there, by the rows of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from banking_core.checked import checked
from banking_core.clock import BANK_ZONE
from banking_core.configuration import Calendar, Rules, RulesError, Terms
from banking_core.configuration.rules import ArrivalRow, FeeRow, percent_to_ppm
from banking_core.errors import InvalidInput
from banking_core.tariff.hours import Opening


@dataclass(frozen=True)
class Arrival:
    """What the customer is told, when the order goes out, and by when the money is there (UTC)."""

    text: str
    sends_at: datetime
    arrives_by: datetime


@checked
class Tariff:
    """Fees and arrival of every kind of order. A kind without a row is a defect."""

    def __init__(self, rules: Rules, terms: Terms, calendar: Calendar) -> None:
        self._rules = rules
        self._terms = terms
        self.hours = {name: Opening(hours, calendar) for name, hours in rules.hours.items()}

    def fee_fen(self, kind: str, amount_fen: int, *, level: str, route: str | None = None) -> int:
        """The cheapest fee that fits. A share of the amount is rounded half up to a fen. Raises RulesError."""
        if amount_fen < 0:
            raise InvalidInput("an amount below zero", field="amount_fen")
        fees = list(self._fees(kind, amount_fen, level, route))
        if not fees:
            raise RulesError("no fee for this kind and route")
        return min(fees)

    def arrival(self, kind: str, amount_fen: int, now: datetime, *, route: str | None = None) -> Arrival:
        """When an order that is carried out now goes out and arrives. Raises RulesError."""
        row = next(self._arrivals(kind, amount_fen, route), None)
        if row is None:
            raise RulesError("no arrival for this kind and route")
        sends_at = now if row.hours is None else self.hours[row.hours].opens_at(now)
        arrives_by = sends_at + timedelta(minutes=row.within_minutes)
        text = self._terms.text(row.text)
        if sends_at > now:
            local = arrives_by.astimezone(BANK_ZONE)
            text = f"{local.month}月{local.day}日{local.hour}:{local.minute:02d}前（{text}）"
        return Arrival(text, sends_at, arrives_by)

    def _fees(self, kind: str, amount_fen: int, level: str, route: str | None) -> Iterator[int]:
        for row in self._rules.fees:
            fits = row.kind == kind and row.route == route and self._covers(row.up_to, amount_fen)
            if fits and (row.levels is None or level in row.levels):
                yield self._fee(row, amount_fen)

    def _fee(self, row: FeeRow, amount_fen: int) -> int:
        if row.fee.endswith("_yuan"):
            return self._terms.fen(row.fee)
        share_fen = (amount_fen * percent_to_ppm(self._terms, row.fee) + 500_000) // 1_000_000
        least_fen = 0 if row.least is None else self._terms.fen(row.least)
        most_fen = share_fen if row.most is None else self._terms.fen(row.most)
        return max(least_fen, min(share_fen, most_fen))

    def _arrivals(self, kind: str, amount_fen: int, route: str | None) -> Iterator[ArrivalRow]:
        for row in self._rules.arrivals:
            if row.kind == kind and row.route == route and self._covers(row.up_to, amount_fen):
                yield row

    def _covers(self, up_to: str | None, amount_fen: int) -> bool:
        return up_to is None or amount_fen <= self._terms.fen(up_to)
