"""From the words a customer names a place with to branches.

The longest known word wins, so that 南京东路 in Shanghai is not taken for the city of 南京.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Literal

from banking_core.branches.models import Branch

Matched = Literal["place", "city", "any"]
FILLER = re.compile(
    r"附近|旁边|周边|周围|一带|那边|那儿|那里|这边|这儿|这里|哪里|哪儿|最近|离我|网点|支行|分行|银行|掌柜|营业厅|自助|"
    r"柜员机|取款机|提款机|atm|有没有|[的在到去离有吗呢啊我市区省，。？?、\s]"
)
LANDMARK_WEIGHT, TEXT_WEIGHT, DISTRICT_WEIGHT, CITY_WEIGHT = 8, 6, 4, 2
WORD_CHARACTERS_MIN = 2
EARTH_RADIUS_M = 6_371_000


@dataclass(frozen=True)
class Place:
    """A place as understood: known words, what is left over, and the cities among the words."""

    words: frozenset[str]
    rest: tuple[str, ...]
    cities: frozenset[str]


def short_district(district: str) -> str:
    """浦东新区 -> 浦东, 朝阳区 -> 朝阳; a name that would shrink to one character stays."""
    short = re.sub(r"(新区|区|县|市)$", "", district)
    return short if len(short) >= WORD_CHARACTERS_MIN else district


def words_of(branch: Branch) -> dict[str, int]:
    """Every word that names this branch's place, with its weight."""
    words = {branch.city: CITY_WEIGHT, branch.district: DISTRICT_WEIGHT}
    words[short_district(branch.district)] = DISTRICT_WEIGHT
    words.update({landmark.casefold(): LANDMARK_WEIGHT for landmark in branch.landmarks})
    return words


def understand(text: str, branches: Sequence[Branch]) -> Place:
    """Splits `text` into words the directory knows and the rest, longest word first, left to right."""
    text = text.casefold()
    cities = {branch.city for branch in branches}
    vocabulary = sorted({word for branch in branches for word in words_of(branch)}, key=len, reverse=True)
    words: set[str] = set()
    rest: list[str] = []
    unknown = ""
    at = 0
    while at < len(text):
        word = next((word for word in vocabulary if text.startswith(word, at)), None)
        if word is None:
            unknown += text[at]
            at += 1
            continue
        rest.append(unknown)
        unknown = ""
        words.add(word)
        at += len(word)
    rest.append(unknown)
    pieces = (piece for part in rest for piece in FILLER.sub(" ", part).split())
    return Place(
        frozenset(words),
        tuple(piece for piece in pieces if len(piece) >= WORD_CHARACTERS_MIN),
        frozenset(words & cities),
    )


def rank(place: Place, branches: Sequence[Branch]) -> tuple[Matched, list[Branch]]:
    """The branches of the place, best first; only the right city's when a city is named.

    'place' when more than the city was found, 'city' when only the city was; the list is empty when nothing
    was.
    """
    if place.cities:
        branches = [branch for branch in branches if branch.city in place.cities]
    scored = [(_score(place, branch), branch) for branch in branches]
    near = [(score, branch) for score, branch in scored if score > 0]
    if near:
        near.sort(key=lambda pair: (-pair[0], pair[1].kind != "branch", pair[1].code))
        return "place", [branch for _, branch in near]
    found = branches if place.cities else []
    return "city", sorted(found, key=lambda branch: (branch.kind != "branch", branch.code))


def _score(place: Place, branch: Branch) -> int:
    known = words_of(branch)
    score = sum(known.get(word, 0) for word in place.words - place.cities)
    text = f"{branch.name} {branch.address}".casefold()
    return score + sum(TEXT_WEIGHT for piece in place.rest if piece in text)


def distance_m(from_degrees: tuple[float, float], to_degrees: tuple[float, float]) -> int:
    """The straight way between two places (latitude, longitude) on the globe, in metres."""
    (from_latitude, from_longitude), (to_latitude, to_longitude) = (
        (radians(latitude), radians(longitude)) for latitude, longitude in (from_degrees, to_degrees)
    )
    half = sin((to_latitude - from_latitude) / 2) ** 2
    half += cos(from_latitude) * cos(to_latitude) * sin((to_longitude - from_longitude) / 2) ** 2
    return round(2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half))))
