"""What the database layer reports when trying again did not help.

ProviderUnavailable   DatabaseBusy    deadlocks, serialization failures, locks, no connection or a lost one, each time
"""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from banking_core.errors import ProviderUnavailable

# PostgreSQL: serialization failure, deadlock, lock not available. Nothing was written: trying again is always safe.
_COLLISIONS = frozenset({"40001", "40P01", "55P03"})
# The server is stopping, crashed, or starting; class 08 are connection errors.
_SERVER_GONE = frozenset({"57P01", "57P02", "57P03"})


class DatabaseBusy(ProviderUnavailable):
    """The unit of work was tried as often as allowed; with an idempotency key it may be tried again later."""

    code = "database_busy"


def is_collision(error: BaseException) -> bool:
    """True when transactions got in each other's way and this one was wholly rolled back, or never got a connection."""
    if isinstance(error, PoolTimeout):
        return True
    return _state(error) in _COLLISIONS or (
        isinstance(error, DBAPIError) and "database is locked" in str(error.orig)
    )


def is_disconnect(error: BaseException) -> bool:
    """True when the database went away: whether a commit under way was done is unknown."""
    if isinstance(error, OSError):  # refused, reset, timed out before the driver could wrap it
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = _state(error)
    if state in _SERVER_GONE or state.startswith("08"):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(error, DBAPIError | asyncpg.InterfaceError) and "connection " in str(cause)


def _state(error: BaseException) -> str:
    """The SQLSTATE, whether SQLAlchemy wrapped the driver's error or a statement went straight to the driver."""
    if isinstance(error, DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or "")
    return str(error.sqlstate or "") if isinstance(error, asyncpg.PostgresError) else ""
