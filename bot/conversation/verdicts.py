"""What became of a secret that was given."""

from __future__ import annotations

from dataclasses import dataclass

from banking_core.identity import LoginDone
from bot.dialogue.reply import Reply
from bot.dialogue.skill import Unproved


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an input: 'proved' lets the skill go on; otherwise the replies say what to do next.

    `unproved`: this proof cannot be had any more, and the skill says what follows.
    """

    proved: bool
    replies: tuple[Reply, ...] = ()
    login: LoginDone | None = None  # set when a log-in succeeded
    failed: bool = False  # wrong too often: no further try for now
    unproved: Unproved | None = None
