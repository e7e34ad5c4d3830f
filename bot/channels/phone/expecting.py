"""What a customer who speaks is likely to say next, from what the conversation has just said."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot.channels.phone.loop import Expect
from bot.dialogue.commands import Command, recognise_by_rule

CONFIRM: Final = "确认"  # offered where an order waits to be confirmed, and nowhere else
_CHALLENGES: Final = {
    "otp": Expect.CODE,
    "totp": Expect.CODE,
    "id_tail": Expect.ID_TAIL,
    "password": Expect.PASSWORD,
    "voice": Expect.SPOKEN,
}


def expected(challenge: str, cards: Collection[str], choices: tuple[str, ...]) -> Expect:
    """From the kind of challenge that is pending, the kinds of cards shown last and the choices offered with them."""
    expect = _CHALLENGES.get(challenge, Expect.WORDS)
    if expect is Expect.WORDS and ("readback" in cards or _yes_or_no(choices)):
        return Expect.YES_NO
    return expect


def reads_back(cards: Collection[str], choices: tuple[str, ...]) -> bool:
    """Whether what is said must be heard whole before a yes: a yes would move money, now or a step later."""
    return "readback" in cards or CONFIRM in choices


def _yes_or_no(choices: tuple[str, ...]) -> bool:
    return any(recognise_by_rule(choice) in (Command.AFFIRM, Command.DENY) for choice in choices)
