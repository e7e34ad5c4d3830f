"""Words that open one call: given to the carrier with our answer, taken back by whoever brings the sound of it."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from bot.channels.phone.errors import TokenRefused
from bot.channels.phone.timing import Timer

VALID_S: Final = 60.0
KEPT_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Numbers:
    """Who calls whom, as a signed request told it."""

    caller: str
    called: str


class OneTimeTokens:
    """In memory: a call that was announced to a process begins in it, at once, or not at all."""

    def __init__(self, timer: Timer, *, valid_s: float = VALID_S) -> None:
        self._timer, self._valid_s = timer, valid_s
        self._given: OrderedDict[str, tuple[float, Numbers]] = OrderedDict()

    def give(self, call: Numbers) -> str:
        """A token for this call; the oldest one lapses when there are too many."""
        token = secrets.token_urlsafe(24)
        self._given[token] = self._timer.now_s() + self._valid_s, call
        while len(self._given) > KEPT_MAX:
            self._given.popitem(last=False)
        return token

    def take(self, token: str) -> Numbers:
        """The call it was given for, once. Raises TokenRefused."""
        until_s, call = self._given.pop(token, (float("-inf"), None))
        if call is None or self._timer.now_s() > until_s:
            raise TokenRefused
        return call
