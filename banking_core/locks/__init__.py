"""Safety locks a customer puts on their own money."""

from banking_core.locks.errors import AccountLocked, NothingLocked
from banking_core.locks.models import SCOPE_NAMES, LockScope, SecurityLock
from banking_core.locks.service import Locks

__all__ = ["SCOPE_NAMES", "AccountLocked", "LockScope", "Locks", "NothingLocked", "SecurityLock"]
