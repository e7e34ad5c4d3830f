"""What one turn produces, and the numbers the engine decides by."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.dialogue.reasons import Reason
from bot.dialogue.reply import Reply
from bot.dialogue.skill import Effect, HandOver
from bot.dialogue.state import DialogueState


@dataclass(slots=True)
class Outcome:
    """Replies in the order in which they are sent, and what the hub must do besides."""

    replies: list[Reply] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    intent: str = ""  # what was understood, for the log and the desk
    action: str = ""  # what was done: start:x, fill, answer:entry, ask_back, fallback, command:x ...

    def say(self, reply: Reply | str) -> None:
        """Adds a reply."""
        self.replies.append(Reply(reply) if isinstance(reply, str) else reply)

    def hand_over(self, state: DialogueState, reason: Reason) -> None:
        """Fetches a human. Whoever answers next, what was read back before is read back again."""
        state.interrupted()
        self.action = f"hand_over:{reason}"
        self.effects.append(HandOver(reason))


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds on probabilities (0..1) and times in seconds."""

    start_min: float = 0.45  # a skill that only looks something up
    announce_min: float = 0.7  # a skill that can only be announced; below this it is asked back
    announce_asked_min: float = 0.85  # the same for what is put as a question
    start_money_min: float = 0.6  # a skill that moves money or changes security
    ask_back_min: float = 0.22  # below this a runner-up is not worth proposing
    digress_min: float = 0.5
    digress_sure_min: float = 0.8  # with slot values in the sentence the new wish must be clear
    talk_min: float = 0.5
    answer_min: float = 0.45  # knowledge: answer at once
    answer_plain_min: float = 0.8  # knowledge: without saying which question it is that is answered
    answer_sure_min: float = 0.7  # knowledge: even against a skill the model heard
    suggest_min: float = 0.25  # knowledge: "did you mean" the best three, all together
    nearest_min: float = 0.1  # knowledge: named as the nearest, where there is nothing better to say
    guess_min: float = 0.7  # a skill guessed at with less is offered beside the nearest questions
    suggest_each_min: float = 0.04  # one of them
    stale_s: float = 900.0
    clarifications_max: int = 2
    shelf_life_s: float = 86_400.0


DEFAULT_POLICY = Policy()
