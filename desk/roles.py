"""What each role may do at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Rights:
    """`acts`: does anything but look. `sees_all`: reads conversations of others. `leads`: whispers, takes over.

    `shares`: changes the canned replies of all. `audits`: reads the whole audit trail, not only what
    agents did.
    """

    title: str
    acts: bool = True
    sees_all: bool = False
    leads: bool = False
    shares: bool = False
    audits: bool = False


RIGHTS: Final = MappingProxyType(
    {
        "agent": Rights("坐席"),
        "senior": Rights("资深坐席", shares=True),
        "supervisor": Rights("主管", sees_all=True, leads=True, shares=True),
        "auditor": Rights("审计", acts=False, sees_all=True, audits=True),
    }
)
