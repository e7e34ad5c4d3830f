"""The life of an order, as one table of allowed transitions.

    drafted ──► read_back ──► confirmed ──► authorised ──► executed
       │            │             │  ▲          ├────────► submitted ──► executed | failed
       │            │             │  └ mandate  └────────► failed
       │            │             └──► waiting ──► authorised | failed | cancelled
       └────────────┴── expired, cancelled, failed (refused by risk)

`drafted`    priced and checked, nothing said yet
`read_back`  the customer was told every fact of it
`confirmed`  the customer said yes to exactly that; a run of a mandate comes here from `drafted`, because the
             mandate itself was read back and confirmed
`waiting`    confirmed and proved, held until `not_before` because the risk engine asked for time
`authorised` every proof and check passed; it is carried out in the same transaction
`submitted`  the money is held, an outside party has the last word
"""

from __future__ import annotations

from typing import Final

DRAFTED: Final = "drafted"
READ_BACK: Final = "read_back"
CONFIRMED: Final = "confirmed"
WAITING: Final = "waiting"
AUTHORISED: Final = "authorised"
SUBMITTED: Final = "submitted"
EXECUTED: Final = "executed"
FAILED: Final = "failed"
EXPIRED: Final = "expired"
CANCELLED: Final = "cancelled"

TRANSITIONS: Final[dict[str | None, frozenset[str]]] = {
    None: frozenset({DRAFTED}),
    DRAFTED: frozenset({READ_BACK, CONFIRMED, FAILED, EXPIRED, CANCELLED}),
    READ_BACK: frozenset({CONFIRMED, FAILED, EXPIRED, CANCELLED}),
    CONFIRMED: frozenset({AUTHORISED, WAITING, FAILED, EXPIRED, CANCELLED}),
    WAITING: frozenset({AUTHORISED, FAILED, CANCELLED}),
    AUTHORISED: frozenset({EXECUTED, SUBMITTED, FAILED}),
    SUBMITTED: frozenset({EXECUTED, FAILED}),
    EXECUTED: frozenset(),
    FAILED: frozenset(),
    EXPIRED: frozenset(),
    CANCELLED: frozenset(),
}
STATUSES: Final = tuple(status for status in TRANSITIONS if status is not None)
OPEN: Final = (DRAFTED, READ_BACK, CONFIRMED)  # the customer has still to act; these expire
CANCELLABLE: Final = (*OPEN, WAITING)
DONE: Final = (SUBMITTED, EXECUTED, FAILED)
ENDS: Final = (EXECUTED, FAILED)  # what a customer who was told to wait must hear
OVER: Final = (CANCELLED, EXPIRED, FAILED)
COUNTED: Final = (AUTHORISED, SUBMITTED, EXECUTED)  # use up limits


def assert_allowed(old: str | None, new: str) -> None:
    """A transition that is not in the table is a defect of ours, never something a customer can cause."""
    assert new in TRANSITIONS[old], f"an order cannot go from {old} to {new}"
