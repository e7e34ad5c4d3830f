"""Pauses after wrong tries: each further row of wrong tries makes the next pause longer, up to the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from banking_core.configuration import Terms
from banking_core.configuration.errors import TermsError
from banking_core.identity.models import AttemptGuard


@dataclass(frozen=True)
class Lockout:
    """`tries_max` wrong ones in a row begin a pause; `pauses` are their lengths, the last one repeats.

    After `forget_after` without a wrong one counting begins anew; None forgets only when a right one comes.
    """

    tries_max: int
    pauses: Sequence[timedelta]
    forget_after: timedelta | None = None

    @classmethod
    def of_terms(
        cls, terms: Terms, tries_term: str, minutes_term: str, *, forget_after: timedelta | None = None
    ) -> Lockout:
        """Raises UnknownTerm, TermsError unless the minutes are a growing list of whole numbers."""
        minutes = terms.value(minutes_term)
        if not isinstance(minutes, list) or not minutes or not all(_is_minutes(item) for item in minutes):
            raise TermsError(f"term {minutes_term!r} is not a list of minutes")
        if minutes != sorted(minutes):
            raise TermsError(f"term {minutes_term!r} does not grow")
        return cls(
            terms.integer(tries_term), tuple(timedelta(minutes=item) for item in minutes), forget_after
        )

    def locked_until(self, guard: AttemptGuard, now: datetime) -> datetime | None:
        """The end of the pause under way, if any."""
        return guard.locked_until if guard.locked_until is not None and now < guard.locked_until else None

    def count_wrong(self, guard: AttemptGuard, now: datetime) -> int:
        """Counts a wrong try on the locked row; returns the tries left, 0 when a pause has begun."""
        if self.forget_after is not None and guard.last_wrong_at is not None:
            since = max(guard.last_wrong_at, guard.locked_until or guard.last_wrong_at)
            if now - since >= self.forget_after:
                self.forget(guard)
        guard.last_wrong_at = now
        guard.wrong_count += 1
        if guard.wrong_count < self.tries_max:
            guard.locked_until = None
            return self.tries_max - guard.wrong_count
        guard.locked_until = now + self.pauses[min(guard.lock_count, len(self.pauses) - 1)]
        guard.wrong_count = 0
        guard.lock_count += 1
        return 0

    @staticmethod
    def forget(guard: AttemptGuard) -> None:
        """A right one: wrong tries and the length of the next pause begin anew."""
        guard.wrong_count, guard.lock_count, guard.locked_until = 0, 0, None


def _is_minutes(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and item > 0
