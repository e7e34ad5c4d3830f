"""Tables, engine and transactions shared by every area of the bank."""

from banking_core.storage.append_only import make_append_only
from banking_core.storage.base import Base, JsonValue, UtcDateTime, new_id
from banking_core.storage.database import Database, after_commit

__all__ = ["Base", "Database", "JsonValue", "UtcDateTime", "after_commit", "make_append_only", "new_id"]
