"""The exception tree of the dialogue engine.

DialogueError
├── UnderstandingUnavailable   the NLU service did not answer; the customer is told and offered a human
├── UnknownSkill               a frame in the state names a skill that is not registered any more
├── MalformedAnnouncement      a file of announced skills cannot be used (at start, not during a turn)
├── MalformedMoods             the words of distress and anger cannot be used (at start)
└── SlotRefused                a value was read but cannot be used; customer_text says why and what would do
"""

from __future__ import annotations

from typing import ClassVar


class DialogueError(Exception):
    """Root of what can go wrong in a dialogue turn."""

    code: ClassVar[str] = "dialogue_error"


class UnderstandingUnavailable(DialogueError):
    """The understanding service cannot be reached or refused the request."""

    code = "understanding_unavailable"


class UnknownSkill(DialogueError):
    """No skill of this name is registered."""

    code = "unknown_skill"


class MalformedAnnouncement(DialogueError):
    """A file of announced skills cannot be read or says too little."""

    code = "malformed_announcement"


class MalformedMoods(DialogueError):
    """The file of words of distress and anger cannot be read."""

    code = "malformed_moods"


class SlotRefused(DialogueError):
    """A slot's value fails its check."""

    code = "slot_refused"

    def __init__(self, customer_text: str) -> None:
        super().__init__(self.code)
        self.customer_text = customer_text
