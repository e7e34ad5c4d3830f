"""The ordinary life of a customer, with the ordinary things that look like fraud.

What makes the honest days hard to tell: people buy telephones, move, travel and change passwords; pay a landlord's
deposit or a hospital at night; try a new payee with a small sum first; empty an account into their own at another
bank; share devices, dormitories and shops with strangers; and tell the assistant about a swindle they read of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from banking_core.risk.context import Signals
from banking_core.risk.simulation.happenings import Happening, Scene, small_talk
from banking_core.risk.simulation.people import Friend, Person, added_ago_s
from banking_core.risk.windows import DAY_S, HOUR_S, MINUTE_S

OFFSET_S = 8 * HOUR_S
BIG_DAY = 0.0035  # chance a day of a large payment to somebody new
NEW_DEVICE = 0.0012
CHANGE = 0.0016
MOVE_OWN = 0.003


def live(person: Person, start_s: float, days: int, seed: int) -> Iterator[Happening]:
    """The happenings of one person over `days` days from `start_s` (midnight at the bank)."""
    random = Random(f"{seed}:life:{person.index}")
    away = ""
    for day in range(person.first_day, days):
        midnight_s = start_s + day * DAY_S
        away = _travel(random, person, away)
        if random.random() < NEW_DEVICE:
            person.devices.insert(0, f"d{person.index}.n{day}")
        if random.random() < 1 / 30:
            yield _income(random, person, midnight_s)
        sessions = _poisson(random, person.kind.sessions)
        for _ in range(sessions):
            yield from _session(random, person, midnight_s, away, day)


def _income(random: Random, person: Person, midnight_s: float) -> Happening:
    amount_fen = int(person.kind.income * 100 * random.lognormvariate(0, 0.25))
    scene = Scene("", "", "", midnight_s)
    return Happening(midnight_s + 9 * HOUR_S, person.index, "income", scene, amount_fen=amount_fen)


def _travel(random: Random, person: Person, away: str) -> str:
    if away:
        return "" if random.random() < 0.35 else away
    if random.random() < person.kind.travel:
        return f"city{random.randrange(40)}" if random.random() < 0.9 else "abroad"
    return ""


def _session(random: Random, person: Person, midnight_s: float, away: str, day: int) -> Iterator[Happening]:
    at_s = midnight_s + usual_hour(random, person) * HOUR_S + random.uniform(0, HOUR_S)
    scene = scene_of(random, person, at_s, away)
    for _ in range(_slips(random)):
        yield Happening(at_s - random.uniform(20, 300), person.index, "login_failed", scene)
    yield Happening(at_s, person.index, "login", scene)
    at_s += random.uniform(20, 240)
    if random.random() < CHANGE / max(person.kind.sessions, 0.1) * 2:
        yield Happening(
            at_s,
            person.index,
            "change",
            scene,
            change=random.choice(("password", "phone", "device", "limit")),
        )
        at_s += random.uniform(60, 1200)
    if random.random() < BIG_DAY / max(person.kind.sessions, 0.1):
        yield from _big_day(random, person, scene, at_s, day)
        return
    if random.random() < MOVE_OWN / max(person.kind.sessions, 0.1):
        own = next((friend for friend in person.friends if friend.own), None)
        if own is not None:
            yield pay(random, person, scene, at_s, own, share=random.uniform(0.4, 0.99))
            return
    for _ in range(1 + (random.random() < 0.25) + (random.random() < 0.08)):
        if random.random() < 0.35:
            continue  # looked, and did nothing
        at_s += random.uniform(20, 400)
        yield _ordinary(random, person, scene, at_s, day)


def _ordinary(random: Random, person: Person, scene: Scene, at_s: float, day: int) -> Happening:
    kind = random.choices(("transfer", "bill_pay", "topup"), person.kind.mix)[0]
    if kind != "transfer":
        yuan = (
            random.lognormvariate(math.log(120), 0.8)
            if kind == "bill_pay"
            else random.choice((10, 30, 50, 50, 100, 200))
        )
        return Happening(
            at_s,
            person.index,
            "order",
            scene,
            kind=kind,
            amount_fen=max(100, int(yuan * 100)),
            payee=f"{kind}{person.index}",
            signals=small_talk(random, person),
        )
    friend = _friend(random, person, at_s, day)
    yuan = person.kind.yuan * person.scale * random.lognormvariate(0, person.kind.spread)
    return pay(random, person, scene, at_s, friend, amount_fen=_tidy(random, yuan))


def _friend(random: Random, person: Person, at_s: float, day: int) -> Friend:
    if random.random() >= person.kind.strangers:
        return random.choices(person.friends, [friend.weight for friend in person.friends])[0]
    popular = random.random() < 0.25
    key = f"shop{random.randrange(60)}" if popular else f"p{person.index}.{day}.{random.randrange(1000)}"
    friend = Friend(
        key,
        key,
        at_s - added_ago_s(random, 0.6),
        random.random() < 0.6,
        weight=random.paretovariate(1.5) * 0.4,
    )
    person.friends.append(friend)
    return friend


def _big_day(random: Random, person: Person, scene: Scene, at_s: float, day: int) -> Iterator[Happening]:
    """A deposit for a flat, a car, a hospital: a stranger, much money, sometimes tried with a little first."""
    key = f"big{person.index}.{day}"
    friend = Friend(key, key, at_s - added_ago_s(random, 0.7), random.random() < 0.7, weight=0.3)
    person.friends.append(friend)
    hasty = random.random() < 0.3
    if random.random() < 0.35:
        yield pay(random, person, scene, at_s, friend, amount_fen=random.choice((1, 100, 1000, 10000)))
        at_s += random.uniform(3 * MINUTE_S, 30 * HOUR_S)
    for _ in range(1 + (random.random() < 0.3)):
        share = random.betavariate(2.2, 2.0)
        talk = small_talk(random, person, tempo=1.8 if hasty else 1.2)
        yield pay(random, person, scene, at_s, friend, share=share, signals=talk)
        at_s += random.uniform(3 * MINUTE_S, 2 * HOUR_S)


def pay(
    random: Random,
    person: Person,
    scene: Scene,
    at_s: float,
    friend: Friend,
    *,
    amount_fen: int = 0,
    share: float = 0.0,
    signals: Signals | None = None,
) -> Happening:
    """A transfer to somebody."""
    return Happening(
        at_s,
        person.index,
        "order",
        scene,
        amount_fen=amount_fen,
        share=share,
        payee=friend.key,
        name=friend.name,
        other_bank=friend.other_bank,
        own=friend.own,
        book_s=friend.known_s,
        nickname=friend.weight > 2,
        signals=signals or small_talk(random, person),
    )


def scene_of(random: Random, person: Person, at_s: float, away: str = "") -> Scene:
    """Where an honest session takes place."""
    device = person.devices[0] if random.random() < 0.85 else random.choice(person.devices)
    network = random.choices(person.networks, [3, 1] + [1] * (len(person.networks) - 2))[0]
    if random.random() < 0.22:
        network = f"mobile{random.randrange(400)}"
    if away:
        network = f"{away}.{random.randrange(30)}"
    return Scene(
        device=device if person.shows_device else "",
        network=network if random.random() < 0.9 else "",
        place=(away or person.place) if person.shows_place else "",
        started_s=at_s - (random.expovariate(1 / HOUR_S) if random.random() < 0.3 else 0.0),
        proxy=random.random() < 0.02,
        abroad=away == "abroad",
    )


def usual_hour(random: Random, person: Person) -> int:
    """An hour of the day at which this person is awake and banking."""
    first, last = person.kind.hours
    if random.random() < person.kind.night:
        return random.choice((23, 0, 1, 2, 3, 5))
    return int(first + (last - first) * random.betavariate(1.6, 1.4)) % 24


def _slips(random: Random) -> int:
    return min(int(random.expovariate(1.6)), 5) if random.random() < 0.12 else 0


def _tidy(random: Random, yuan: float) -> int:
    """People like round sums."""
    if yuan >= 100 and random.random() < 0.55:
        step = int(10 ** max(1, int(math.log10(yuan)) - (random.random() < 0.6)))
        return max(step, round(yuan / step) * step) * 100
    return max(1, int(yuan * 100))


def _poisson(random: Random, rate: float) -> int:
    """Knuth's way; rates are small."""
    limit, product, count = math.exp(-rate), random.random(), 0
    while product > limit and count < 20:
        product *= random.random()
        count += 1
    return count
