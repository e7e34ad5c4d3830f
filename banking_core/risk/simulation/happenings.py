"""What happens to invented customers: a flat record, so that a day of thousands of people is one sorted list."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from banking_core.risk.context import Signals
from banking_core.risk.profile import ChangeKind
from banking_core.risk.simulation.people import Person

What = Literal["login", "login_failed", "change", "order", "income"]
Pattern = Literal["", "takeover", "scam_victim", "mule", "card_testing", "night_drain", "test_then_drain"]


@dataclass(frozen=True, slots=True)
class Scene:
    """Device and place of one session."""

    device: str
    network: str
    place: str
    started_s: float
    proxy: bool = False
    abroad: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """`amount_fen` is asked for; when `share` is given it is that part of the balance at that moment instead."""

    at_s: float
    person: int
    what: What
    scene: Scene
    kind: str = "transfer"
    amount_fen: int = 0
    share: float = 0.0
    payee: str = ""
    name: str = ""
    other_bank: bool = False
    own: bool = False
    book_s: float = 0.0
    nickname: bool = False
    change: ChangeKind = "password"
    signals: Signals = field(default_factory=Signals)
    fraud: Pattern = ""
    reported_s: float = 0.0  # when the bank learns that it was a fraud; 0 never


def small_talk(random: Random, person: Person, *, tempo: float = 1.0) -> Signals:
    """The signals of an everyday conversation; `tempo` above 1 is slower."""
    if not person.shows_talk:
        return Signals()
    kind = person.kind
    turns = 2 + min(int(random.expovariate(0.5)), 14)
    mean_s = kind.answer_s * tempo * random.lognormvariate(0, 0.5)
    slowest_s = mean_s * random.lognormvariate(0.6, 0.5)
    corrections = sum(random.random() < 0.07 * tempo for _ in range(turns))
    return Signals(
        turns=turns,
        corrections=corrections,
        amount_corrections=sum(random.random() < 0.5 for _ in range(corrections)),
        payee_corrections=sum(random.random() < 0.3 for _ in range(corrections)),
        digressions=sum(random.random() < 0.08 for _ in range(turns)),
        clarifications=sum(random.random() < 0.06 * tempo for _ in range(turns)),
        silences=float(slowest_s > 60) + float(random.random() < 0.04),
        answer_s_mean=mean_s,
        answer_s_max=slowest_s,
        answer_s_last=mean_s * random.lognormvariate(0, 0.5),
        typing_cps=0.0 if random.random() < 0.3 else kind.cps * random.lognormvariate(0, 0.35) / tempo,
        chars_mean=random.uniform(3, 12),
        elapsed_s=turns * mean_s,
        cancelled=float(random.random() < 0.05),
        human_asked=float(random.random() < 0.03),
        code_failures=float(random.random() < 0.05),
        code_resends=float(random.random() < 0.05),
        enquiries=float(random.random() < 0.01),
        phrases=_idle_phrases(random),
    )


def _idle_phrases(random: Random) -> dict[str, float]:
    """People do talk about swindlers without being swindled, and the phrase list is not perfect."""
    if random.random() > 0.004:
        return {}
    return {random.choice(("refund", "brushing", "officials", "investment", "relative", "safe_account")): 1.0}


def with_phrases(signals: Signals, phrases: dict[str, float]) -> Signals:
    """The same conversation with other phrases; where there is no conversation there are none."""
    if signals == Signals():
        return signals
    return replace(signals, phrases=phrases)
