"""Plays a generated world through the real profile and features, so that training and service cannot differ."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from banking_core.risk.context import AccountFacts, CustomerFacts, PayeeFacts, RiskContext, Surroundings
from banking_core.risk.features import NAMES, compute
from banking_core.risk.profile import Profile
from banking_core.risk.simulation.happenings import Happening
from banking_core.risk.simulation.people import Person
from banking_core.risk.simulation.world import Plan
from banking_core.risk.windows import DAY_S

SENDERS_MAX = 50
MIN_AVAILABLE_FEN = 100
PROGRESS_STEPS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """Orders with their features. `fraud` is the truth, `reported_s` when the bank learns of it (0 never)."""

    features: NDArray[np.float64]  # (orders, features)
    fraud: NDArray[np.bool_]
    reported_s: NDArray[np.float64]
    at_s: NDArray[np.float64]
    patterns: tuple[str, ...]

    def known_at(self, now_s: float) -> NDArray[np.bool_]:
        """Which orders the bank knows to be frauds at an instant."""
        return (self.reported_s > 0) & (self.reported_s <= now_s)


@dataclass(slots=True)
class _Recent:
    """Who used a payee account or a device lately."""

    kept_s: float
    seen: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)

    def add(self, key: str, at_s: float, person: int) -> None:
        if not key:
            return
        entries = self.seen.setdefault(key, deque(maxlen=4 * SENDERS_MAX))
        entries.append((at_s, person))
        while entries[0][0] < at_s - self.kept_s:
            entries.popleft()

    def others(self, key: str, at_s: float, person: int, within_s: float) -> int:
        entries = self.seen.get(key, ())
        return min(
            len({who for when, who in entries if when >= at_s - within_s and who != person}), SENDERS_MAX
        )


class Replay:
    """Walks through the happenings once; `sample` holds the orders of the months asked for."""

    def __init__(
        self, plan: Plan, people: Sequence[Person], progress: Callable[[float], None] = lambda _share: None
    ) -> None:
        """`progress` is told the share of the happenings that are done, five times."""
        self.plan = plan
        self._progress = progress
        self.people = people
        self.profiles = [Profile() for _ in people]
        self.balances = [person.balance_fen for person in people]
        self.customers = [_facts(person) for person in people]
        self.payers = _Recent(7 * DAY_S)
        self.devices = _Recent(30 * DAY_S)
        self.networks = _Recent(DAY_S)
        self.rows: list[NDArray[np.float64]] = []
        self.orders: list[Happening] = []

    def run(self, happenings: Sequence[Happening], months: range) -> Sample:
        """Features of the orders in `months`; earlier ones only shape the profiles."""
        step = max(1, -(-len(happenings) // PROGRESS_STEPS))
        for number, happening in enumerate(happenings, 1):
            self._step(happening, self.plan.month_of(happening.at_s) in months)
            if number % step == 0 or number == len(happenings):
                self._progress(number / len(happenings))
        return Sample(
            features=np.array(self.rows, np.float64).reshape(len(self.rows), len(NAMES)),
            fraud=np.array([bool(order.fraud) for order in self.orders], np.bool_),
            reported_s=np.array([order.reported_s for order in self.orders], np.float64),
            at_s=np.array([order.at_s for order in self.orders], np.float64),
            patterns=tuple(order.fraud for order in self.orders),
        )

    def _step(self, happening: Happening, wanted: bool) -> None:
        profile, scene, at_s = self.profiles[happening.person], happening.scene, happening.at_s
        if happening.what == "income":
            self.balances[happening.person] += happening.amount_fen
        elif happening.what == "login_failed":
            profile.observe_login(at_s, ok=False, device=scene.device)
        elif happening.what == "login":
            profile.observe_login(at_s, ok=True, device=scene.device)
        elif happening.what == "change":
            profile.observe_change(at_s, happening.change)
        else:
            self._order(happening, wanted)

    def _order(self, happening: Happening, wanted: bool) -> None:
        profile, at_s, scene = self.profiles[happening.person], happening.at_s, happening.scene
        available_fen = int(self.balances[happening.person])
        if available_fen < MIN_AVAILABLE_FEN:
            return
        amount_fen = int(available_fen * happening.share) if happening.share else happening.amount_fen
        amount_fen = max(1, min(amount_fen, available_fen))
        self._withdrawn_drafts(happening, amount_fen)
        executing = (int(at_s) * 2654435761) % 2 == 1  # half of the rows are seen at execution, as in service
        if executing:
            profile.observe_draft(at_s - 15, amount_fen, happening.payee)
        if wanted:
            self.rows.append(compute(self._context(happening, amount_fen, available_fen, executing)))
            self.orders.append(happening)
        if not executing:
            profile.observe_draft(at_s, amount_fen, happening.payee)
        if happening.name and not profile.payees.get(happening.payee) and at_s - happening.book_s < DAY_S:
            profile.observe_change(at_s, "payee")
        profile.observe_paid(at_s, amount_fen, happening.payee, happening.name)
        profile.observe_surroundings(at_s, device=scene.device, network=scene.network, place=scene.place)
        self.payers.add(happening.payee, at_s, happening.person)
        self.devices.add(scene.device, at_s, happening.person)
        self.networks.add(scene.network, at_s, happening.person)
        self.balances[happening.person] -= amount_fen

    def _withdrawn_drafts(self, happening: Happening, amount_fen: int) -> None:
        """Whoever corrects the amount or the payee gets another read-back, hence another draft."""
        signals = happening.signals
        for back in range(int(signals.amount_corrections + signals.payee_corrections), 0, -1):
            at_s = happening.at_s - 20 - 15 * back
            self.profiles[happening.person].observe_draft(at_s, amount_fen, happening.payee)

    def _context(
        self, happening: Happening, amount_fen: int, available_fen: int, executing: bool
    ) -> RiskContext:
        at_s, who, scene = happening.at_s, happening.person, happening.scene
        transfer = happening.kind == "transfer"
        payee = PayeeFacts(
            key=happening.payee,
            name_key=happening.name,
            other_bank=happening.other_bank,
            own_account=happening.own and not happening.other_bank,
            book_created_at=_instant(happening.book_s) if transfer else None,
            has_nickname=happening.nickname,
            book_size=len(self.people[who].friends),
            senders_1d=self.payers.others(happening.payee, at_s, who, DAY_S) if transfer else 0,
            senders_7d=self.payers.others(happening.payee, at_s, who, 7 * DAY_S) if transfer else 0,
        )
        around = Surroundings(
            device=scene.device,
            device_customers_30d=self.devices.others(scene.device, at_s, who, 30 * DAY_S),
            network=scene.network,
            network_customers_1d=self.networks.others(scene.network, at_s, who, DAY_S),
            place=scene.place,
            abroad=scene.abroad,
            proxy=scene.proxy,
            session_started_at=_instant(scene.started_s),
        )
        return RiskContext(
            at=_instant(at_s),
            customer=self.customers[who],
            profile=self.profiles[who],
            kind=happening.kind,
            phase="execute" if executing else "draft",
            amount_fen=amount_fen,
            channel=self.people[who].channel,
            account=AccountFacts(
                available_fen=available_fen, opened_on=self.customers[who].created_at.date()
            ),
            payee=payee,
            surroundings=around,
            signals=happening.signals,
            proofs=1 if executing and transfer else 0,
        )


def _facts(person: Person) -> CustomerFacts:
    born = date(2026, 1, 1) - timedelta(days=int(person.years * 365.25))
    return CustomerFacts(_instant(person.joined_s), born, person.kind.level, 1 + person.index % 3)


def _instant(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
