"""Finding a branch or a cash machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import InstanceOf
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.branches.directory import DEFAULT_DIRECTORY, read_directory
from banking_core.branches.models import KIND_NAMES, Branch, BranchKind
from banking_core.branches.places import Matched, distance_m, rank, understand
from banking_core.checked import checked
from banking_core.clock import BANK_ZONE
from banking_core.core import Core

PLACE_CHARACTERS_MAX = 60
LIMIT_MAX = 50
SATURDAY = 5
Degrees = Annotated[float, InstanceOf()]


@dataclass(frozen=True)
class BranchInfo:
    """One branch as told to a customer. `matched`: what of the named place was found, 'any' if none was.

    `distance_m` is the straight way from where the customer is, when that was asked.
    """

    code: str
    name: str
    kind: BranchKind
    kind_name: str
    city: str
    district: str
    address: str
    weekday_hours: str
    weekend_hours: str
    hours_text: str
    services: tuple[str, ...]
    landmarks: tuple[str, ...]
    open_now: bool
    matched: Matched
    distance_m: int | None = None


@checked
class Branches:
    """The directory of branches. Never commits."""

    def __init__(self, core: Core) -> None:
        self._clock = core.clock

    async def load(self, session: AsyncSession, path: Path = DEFAULT_DIRECTORY) -> int:
        """Makes the table say what the YAML file says; returns the number of rows.

        Raises BranchDirectoryInvalid before anything is changed.
        """
        rows = read_directory(path)
        codes = {row["code"] for row in rows}
        await session.execute(delete(Branch).where(Branch.code.not_in(codes)))
        for row in rows:
            await session.merge(Branch(**row))
        await session.flush()
        return len(rows)

    async def search(
        self,
        session: AsyncSession,
        place: str | None = None,
        kind: Literal["branch", "atm"] | None = None,
        limit: int = 5,
        *,
        service: str | None = None,
    ) -> list[BranchInfo]:
        """Branches at a place in the customer's words ('望京附近', '上海浦东', '人民广场'), best first.

        When only the city is known to us, the city's branches come back with matched='city'; an unknown place
        gives an empty list. `service` keeps those that offer it (外币兑换). At most 50 rows.
        """
        everything = list(await session.scalars(select(Branch).order_by(Branch.code)))
        branches = [
            branch
            for branch in everything
            if kind in (None, branch.kind)
            and (not service or any(service in offered for offered in branch.services))
        ]
        named = (place or "").strip()[:PLACE_CHARACTERS_MAX]
        matched: Matched = "any"
        if named:
            matched, branches = rank(understand(named, everything), branches)
        now = self._clock.now()
        return [_info(branch, matched, now) for branch in branches[: max(0, min(limit, LIMIT_MAX))]]

    async def nearest(
        self, session: AsyncSession, latitude: Degrees, longitude: Degrees, limit: int = 5
    ) -> list[BranchInfo]:
        """Branches and machines by the straight way from a place in degrees (GCJ-02), nearest first, at most 50.

        Those without a place in the directory are left out.
        """
        here, now = (latitude, longitude), self._clock.now()
        rows = await session.scalars(select(Branch).where(Branch.latitude.is_not(None)))
        found = [
            replace(_info(row, "any", now), distance_m=distance_m(here, (row.latitude, row.longitude)))
            for row in rows
            if row.latitude is not None and row.longitude is not None
        ]
        found.sort(key=lambda branch: (branch.distance_m, branch.code))
        return found[: max(0, min(limit, LIMIT_MAX))]

    async def cities(self, session: AsyncSession) -> list[str]:
        """Every city with a branch, most branches first."""
        cities = list(await session.scalars(select(Branch.city)))
        return sorted(set(cities), key=lambda city: (-cities.count(city), city))


def _info(branch: Branch, matched: Matched, now: datetime) -> BranchInfo:
    return BranchInfo(
        code=branch.code,
        name=branch.name,
        kind="branch" if branch.kind == "branch" else "atm",
        kind_name=KIND_NAMES[branch.kind],
        city=branch.city,
        district=branch.district,
        address=branch.address,
        weekday_hours=branch.weekday_hours,
        weekend_hours=branch.weekend_hours,
        hours_text=hours_text(branch.weekday_hours, branch.weekend_hours),
        services=tuple(branch.services),
        landmarks=tuple(branch.landmarks),
        open_now=is_open(branch, now),
        matched=matched,
    )


def hours_text(weekday: str, weekend: str) -> str:
    """Opening hours in words: 周一至周五 09:00-17:00，周末 10:00-16:00."""
    if weekday == weekend:
        return "24小时" if weekday == "24h" else f"每天 {_hours(weekday)}"
    return f"周一至周五 {_hours(weekday)}，周末 {_hours(weekend)}"


def _hours(hours: str) -> str:
    return {"24h": "24小时", "closed": "不营业"}.get(hours, hours)


def is_open(branch: Branch, instant: datetime) -> bool:
    """Whether the doors are open at `instant`, by the weekly hours (public holidays are not known here)."""
    local = instant.astimezone(BANK_ZONE)
    hours = branch.weekend_hours if local.weekday() >= SATURDAY else branch.weekday_hours
    if hours in ("24h", "closed"):
        return hours == "24h"
    opens, closes = (time.fromisoformat(part) for part in hours.split("-"))
    return opens <= local.time() < closes
