"""Fraud patterns. Each draws the careful and the careless swindler, so that the patterns overlap with honest life.

What makes them hard to tell: a swindled customer acts from the own device at the usual hour and mostly says nothing
suspicious; a third of the take-overs happen in the same city through a known kind of network; patient thieves stay
within the victim's habits; mules pay out like merchants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from banking_core.risk.context import Signals
from banking_core.risk.profile import ChangeKind
from banking_core.risk.simulation.happenings import Happening, Pattern, Scene, small_talk, with_phrases
from banking_core.risk.simulation.living import OFFSET_S, pay, scene_of, usual_hour
from banking_core.risk.simulation.people import Friend, Person, added_ago_s
from banking_core.risk.windows import DAY_S, HOUR_S, MINUTE_S

NEVER_REPORTED = 0.06
DELAY_DAYS_MEAN = 9.0
PHRASES = (
    ("safe_account", "officials"),
    ("officials",),
    ("brushing",),
    ("refund", "screen_share"),
    ("refund",),
    ("boss",),
    ("investment",),
    ("loan_fee",),
    ("relative", "secrecy"),
    ("coaching",),
    ("romance",),
)


def commit(pattern: Pattern, person: Person, at_s: float, seed: int) -> Iterator[Happening]:
    """One fraud against (or, for a mule, by) a person, beginning at `at_s`."""
    random = Random(f"{seed}:fraud:{pattern}:{person.index}:{at_s:.0f}")
    delay_s = random.expovariate(1 / DELAY_DAYS_MEAN) * DAY_S
    reported_s = 0.0 if random.random() < NEVER_REPORTED else at_s + HOUR_S + delay_s
    for happening in _PATTERNS[pattern](random, person, at_s):
        if happening.what == "order":
            yield replace(happening, fraud=pattern, reported_s=reported_s)
        else:
            yield happening


def _mule(random: Random, at_s: float, *, fresh: float = 0.7) -> Friend:
    """An account that collects. A few are used for many victims."""
    key = f"mule{random.randrange(45)}" if random.random() < 0.6 else f"mule{random.randrange(10**6)}"
    return Friend(key, key, at_s - added_ago_s(random, fresh), random.random() < 0.75)


def _at_usual_hour(random: Random, person: Person, at_s: float) -> float:
    """The same day, at an hour at which the victim is awake."""
    midnight_s = at_s - (at_s + OFFSET_S) % DAY_S
    return midnight_s + usual_hour(random, person) * HOUR_S + random.uniform(0, HOUR_S)


def _stranger_scene(random: Random, person: Person, at_s: float) -> Scene:
    near = random.random() < 0.4
    return Scene(
        device=f"x{random.randrange(900)}" if person.shows_device else "",
        network=f"mobile{random.randrange(400)}" if near else f"host{random.randrange(80)}",
        place="" if not person.shows_place else person.place if near else f"city{random.randrange(40)}",
        started_s=at_s,
        proxy=random.random() < 0.3,
    )


def _quick(random: Random, person: Person) -> Signals:
    """Somebody who knows what they want; half of them take their time to look ordinary."""
    return small_talk(random, person, tempo=random.choice((0.4, 0.6, 1.0, 1.0)))


def _amounts(random: Random, person: Person, count: int) -> list[tuple[int, float]]:
    """(amount_fen, share): greedy by share of the balance, patient within the habits of the victim."""
    if random.random() < 0.35:
        base = person.kind.yuan * person.scale
        return [(int(base * random.uniform(0.8, 4) * 100) + 1, 0.0) for _ in range(count)]
    if random.random() < 0.3:
        edge = random.choice((4990, 4999, 9900, 9999, 19900, 49900))
        return [(int(min(edge, person.balance_fen / 100)) * 100 + 1, 0.0) for _ in range(count)]
    return [(0, random.uniform(0.3, 0.99)) for _ in range(count)]


def _takeover(random: Random, person: Person, at_s: float) -> Iterator[Happening]:
    if random.random() < 0.5:
        at_s = _at_usual_hour(random, person, at_s)
    scene = _stranger_scene(random, person, at_s)
    for _ in range(random.choice((0, 0, 0, 1, 2, 4))):
        yield Happening(at_s - random.uniform(30, 900), person.index, "login_failed", scene)
    yield Happening(at_s, person.index, "login", scene)
    at_s += random.uniform(60, 600)
    if random.random() < 0.45:
        change: ChangeKind = random.choice(("password", "phone", "device", "limit"))
        yield Happening(at_s, person.index, "change", scene, change=change)
        at_s += random.uniform(60, 1200) if random.random() < 0.6 else random.uniform(1, 4) * DAY_S
    mule = _mule(random, at_s)
    for amount_fen, share in _amounts(random, person, random.choice((1, 1, 2, 3))):
        yield pay(
            random,
            person,
            scene,
            at_s,
            mule,
            amount_fen=amount_fen,
            share=share,
            signals=_quick(random, person),
        )
        at_s += random.uniform(1, 40) * MINUTE_S


def _scam_victim(random: Random, person: Person, at_s: float) -> Iterator[Happening]:
    at_s = _at_usual_hour(random, person, at_s)
    scene = scene_of(random, person, at_s)
    yield Happening(at_s, person.index, "login", scene)
    at_s += random.uniform(60, 600)
    mule = _mule(random, at_s, fresh=0.65)
    talk = small_talk(random, person, tempo=random.choice((0.9, 1.2, 1.8, 2.6)))
    if random.random() < 0.28:
        talk = with_phrases(talk, dict.fromkeys(random.choice(PHRASES), 1.0))
    for amount_fen, share in _amounts(random, person, random.choice((1, 1, 2, 4))):
        rounded = (
            (amount_fen // 100000) * 100000 if amount_fen > 200000 and random.random() < 0.6 else amount_fen
        )
        yield pay(random, person, scene, at_s, mule, amount_fen=rounded, share=share, signals=talk)
        at_s += random.uniform(2, 90) * MINUTE_S


def _mule_account(random: Random, person: Person, at_s: float) -> Iterator[Happening]:
    at_s = _at_usual_hour(random, person, at_s)
    scene = scene_of(random, person, at_s)
    for _ in range(random.choice((1, 2, 3))):
        came = Happening(
            at_s, person.index, "income", scene, amount_fen=int(random.lognormvariate(9.2, 0.9) * 100)
        )
        yield came
        at_s += random.uniform(2, 50) * MINUTE_S
        yield Happening(at_s, person.index, "login", scene)
        at_s += random.uniform(1, 5) * MINUTE_S
        for _ in range(random.choice((1, 1, 2))):
            yield pay(
                random,
                person,
                scene,
                at_s,
                _mule(random, at_s, fresh=0.5),
                share=random.uniform(0.35, 0.98),
                signals=_quick(random, person),
            )
            at_s += random.uniform(1, 20) * MINUTE_S
        at_s += random.uniform(0.2, 3) * DAY_S


def _card_testing(random: Random, person: Person, at_s: float) -> Iterator[Happening]:
    scene = _stranger_scene(random, person, at_s) if random.random() < 0.8 else scene_of(random, person, at_s)
    yield Happening(at_s, person.index, "login", scene)
    for number in range(random.choice((2, 3, 4, 6))):
        at_s += random.uniform(15, 200)
        yuan = random.choice((1, 10, 10, 30)) if number < 2 else random.choice((50, 100, 200, 500))
        yield Happening(
            at_s,
            person.index,
            "order",
            scene,
            kind="topup",
            amount_fen=yuan * 100,
            payee=f"sim{random.randrange(200)}",
            signals=_quick(random, person),
        )


def _night_drain(random: Random, person: Person, at_s: float) -> Iterator[Happening]:
    at_s = at_s - (at_s + OFFSET_S) % DAY_S + random.uniform(0.5, 5.5) * HOUR_S
    scene = (
        scene_of(random, person, at_s) if random.random() < 0.55 else _stranger_scene(random, person, at_s)
    )
    yield Happening(at_s, person.index, "login", scene)
    mule = _mule(random, at_s, fresh=0.7)
    for _ in range(random.choice((1, 2, 3, 4))):
        at_s += random.uniform(1, 25) * MINUTE_S
        yield pay(
            random,
            person,
            scene,
            at_s,
            mule,
            share=random.uniform(0.25, 0.97),
            signals=_quick(random, person),
        )


def _test_then_drain(random: Random, person: Person, at_s: float) -> Iterator[Happening]:
    if random.random() < 0.6:
        at_s = _at_usual_hour(random, person, at_s)
    scene = _stranger_scene(random, person, at_s) if random.random() < 0.5 else scene_of(random, person, at_s)
    yield Happening(at_s, person.index, "login", scene)
    mule = _mule(random, at_s)
    at_s += random.uniform(1, 8) * MINUTE_S
    yield pay(
        random,
        person,
        scene,
        at_s,
        mule,
        amount_fen=random.choice((1, 100, 100, 1000, 5000)),
        signals=_quick(random, person),
    )
    at_s += random.uniform(2 * MINUTE_S, 40 * HOUR_S)
    scene = replace(scene, started_s=at_s)
    yield Happening(at_s, person.index, "login", scene)
    at_s += random.uniform(30, 400)
    yield pay(
        random, person, scene, at_s, mule, share=random.uniform(0.4, 0.99), signals=_quick(random, person)
    )


_PATTERNS: dict[str, Callable[[Random, Person, float], Iterator[Happening]]] = {
    "takeover": _takeover,
    "scam_victim": _scam_victim,
    "mule": _mule_account,
    "card_testing": _card_testing,
    "night_drain": _night_drain,
    "test_then_drain": _test_then_drain,
}
PATTERN_WEIGHTS: dict[Pattern, float] = {
    "takeover": 0.24,
    "scam_victim": 0.36,
    "mule": 0.12,
    "card_testing": 0.09,
    "night_drain": 0.08,
    "test_then_drain": 0.11,
}
