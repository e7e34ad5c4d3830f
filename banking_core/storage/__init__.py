"""Tables, engine and transactions shared by every area of the bank."""

from banking_core.storage.append_only import make_append_only, make_forward_only
from banking_core.storage.base import Base, JsonValue, UtcDateTime, new_id
from banking_core.storage.database import Database, after_commit, before_commit, one_at_a_time
from banking_core.storage.errors import DatabaseBusy

__all__ = [
    "Base",
    "Database",
    "DatabaseBusy",
    "JsonValue",
    "UtcDateTime",
    "after_commit",
    "before_commit",
    "make_append_only",
    "make_forward_only",
    "new_id",
    "one_at_a_time",
]
