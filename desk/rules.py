"""The desk's rules, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeskRules:
    """How long things last. A lock-out doubles every time it happens again, up to `lock_s_max`."""

    wrong_tries_max: int = 5
    lock_s: int = 300
    lock_s_max: int = 86_400
    session_ttl_h: float = 10.0
    idle_lock_s: int = 900  # without input for so long a log-in is locked until the password is typed again
    input_s: int = 30  # input within so many seconds is one input
    heartbeat_live_s: int = 45  # without a sign of life for longer, an agent does not count as on duty
    absent_after_s: int = 180  # after this the customers of a vanished agent go back to the queue
