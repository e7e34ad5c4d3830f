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
    heartbeat_live_s: int = 45  # without a sign of life for longer, an agent does not count as on duty
    absent_after_s: int = 180  # after this the customers of a vanished agent go back to the queue
