"""Kinds of invented customers and how one of them is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from banking_core.risk.windows import DAY_S


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of living. Rates are per day; amounts are log-normal, `yuan` the median and `spread` the sigma."""

    name: str
    share: float
    sessions: float
    yuan: float
    spread: float
    income: float
    balance: float
    years: tuple[int, int]
    hours: tuple[int, int]
    payees: int
    strangers: float  # chance that a transfer goes to somebody new
    mix: tuple[float, float, float]  # transfer, bill_pay, topup
    night: float  # share of sessions at night
    travel: float  # chance a day of being elsewhere
    answer_s: float
    cps: float
    level: str = "standard"


KINDS = (
    Kind(
        "student",
        0.16,
        0.30,
        60,
        1.0,
        2200,
        2600,
        (18, 25),
        (9, 23),
        8,
        0.16,
        (0.75, 0.05, 0.20),
        0.14,
        0.02,
        5,
        3.2,
    ),
    Kind(
        "salaried",
        0.34,
        0.33,
        420,
        1.2,
        9500,
        26000,
        (24, 50),
        (8, 22),
        12,
        0.12,
        (0.66, 0.24, 0.10),
        0.07,
        0.03,
        7,
        2.6,
    ),
    Kind(
        "pensioner",
        0.17,
        0.20,
        260,
        1.0,
        5200,
        60000,
        (60, 84),
        (7, 18),
        5,
        0.06,
        (0.45, 0.45, 0.10),
        0.01,
        0.01,
        19,
        0.9,
    ),
    Kind(
        "merchant",
        0.10,
        0.90,
        1600,
        1.3,
        42000,
        90000,
        (28, 58),
        (7, 22),
        30,
        0.20,
        (0.88, 0.08, 0.04),
        0.06,
        0.05,
        6,
        2.8,
        "gold",
    ),
    Kind(
        "freelancer",
        0.12,
        0.32,
        650,
        1.4,
        12000,
        18000,
        (22, 45),
        (10, 24),
        14,
        0.22,
        (0.78, 0.14, 0.08),
        0.22,
        0.06,
        6,
        3.0,
    ),
    Kind(
        "wealthy",
        0.05,
        0.34,
        9000,
        1.5,
        60000,
        600000,
        (32, 68),
        (9, 22),
        18,
        0.18,
        (0.80, 0.16, 0.04),
        0.05,
        0.10,
        9,
        2.0,
        "vip",
    ),
    Kind(
        "night_worker",
        0.06,
        0.34,
        300,
        1.1,
        6800,
        9000,
        (22, 48),
        (18, 30),
        9,
        0.12,
        (0.70, 0.18, 0.12),
        0.55,
        0.02,
        7,
        2.6,
    ),
)

NEWCOMERS = 0.10  # share that joins in the middle
CHANNELS = {"web": 0.5, "wechat": 0.3, "phone": 0.12, "other": 0.08}


@dataclass(slots=True)
class Friend:
    """Somebody a customer pays. `known_s` is when they came into the payee book."""

    key: str
    name: str
    known_s: float
    other_bank: bool
    own: bool = False
    weight: float = 1.0


def added_ago_s(random: Random, fresh: float) -> float:
    """How long ago somebody who is paid for the first time came into the payee book, in seconds.

    `fresh` is the share that was added for this very payment. Thieves and honest people draw from the same curves.
    """
    if random.random() < fresh:
        return 20 + random.lognormvariate(5.5, 0.9)
    return min(random.lognormvariate(12.3, 1.4), 90 * DAY_S)


@dataclass(slots=True)
class Person:
    """One invented customer."""

    index: int
    kind: Kind
    years: float
    joined_s: float
    scale: float  # personal multiplier of amounts
    balance_fen: float
    devices: list[str]
    networks: list[str]
    place: str
    channel: str
    shows_place: bool  # whether the channel knows the city at all
    shows_device: bool
    shows_talk: bool  # whether the channel is a conversation
    first_day: int = 0  # of the generated stretch: newcomers join in the middle, without habits
    friends: list[Friend] = field(default_factory=list)


def draw_person(index: int, start_s: float, days: int, seed: int) -> Person:
    """The same person for the same index and seed. `days` is the length of the generated stretch."""
    random = Random(f"{seed}:person:{index}")
    kind = random.choices(KINDS, [kind.share for kind in KINDS])[0]
    first_day = random.randrange(days) if random.random() < NEWCOMERS else 0
    joined_s = start_s - random.uniform(200, 3600) * DAY_S
    if first_day:
        joined_s = start_s + first_day * DAY_S - random.uniform(0, 2) * DAY_S
    channel = random.choices(tuple(CHANNELS), tuple(CHANNELS.values()))[0]
    # A tenth lives in a dormitory or behind one carrier gateway: a network says little about them.
    home = f"dorm{random.randrange(12)}" if random.random() < 0.10 else f"home{index}"
    person = Person(
        index=index,
        kind=kind,
        years=random.uniform(*kind.years),
        joined_s=joined_s,
        scale=random.lognormvariate(0, 0.6),
        balance_fen=kind.balance * 100 * random.lognormvariate(0, 0.9),
        devices=[f"d{index}.0"],
        networks=[home, f"work{index // 7}"],
        place=f"city{random.randrange(40)}",
        channel=channel,
        shows_place=random.random() < 0.55,
        shows_device=channel in ("web", "wechat") and random.random() < 0.88,
        shows_talk=channel != "other",
        first_day=first_day,
    )
    if random.random() < 0.06 and index:
        person.devices.append(f"d{index - 1}.0")  # a device shared in the family
    for number in range(max(1, round(kind.payees * random.uniform(0.5, 1.5)))):
        popular = random.random() < 0.12
        key = f"shop{random.randrange(60)}" if popular else f"p{index}.{number}"
        known_s = joined_s + random.uniform(0, max(start_s - joined_s, DAY_S))
        person.friends.append(
            Friend(key, key, known_s, random.random() < 0.5, weight=random.paretovariate(1.2))
        )
    if random.random() < 0.5:
        person.friends.append(Friend(f"own{index}", f"own{index}", joined_s, True, own=True, weight=2.0))
    return person
