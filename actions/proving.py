"""Which proof an order is asked for next: a code, or on the telephone a voice, alone or beside the code.

A voice is asked for only of those who have recorded one, and only for transfers by telephone:

    small amount, log-in by code      voice; not had: a code by keys
    larger amount                     code, then voice; not had: a human
    the risk engine wants both        code, then voice, both strictly; not had: a human
    clearly somebody else, a replay   a human, whatever else could be proved, and for every order after it

A voice that cannot be compared (another encoder, too old, recorded anew a moment ago) is one that is not had. Who
changes or cancels a voiceprint proves the voice that is there, or has logged in by password; otherwise it is a human.
"""

from __future__ import annotations

from typing import Literal

from actions.services import bank_of, customer_of
from banking_core.identity import proved_password, proved_possession
from banking_core.orders.models import Order
from banking_core.orders.proofs import Proof
from banking_core.voiceprints import CHANGES, VoiceWay
from bot.dialogue.skill import AskSecret, Turn

BY_TELEPHONE = "phone"
VOICE_KINDS = frozenset({"transfer"})
HUMAN: Literal["human"] = "human"
Next = AskSecret | Literal["human"] | None


def proofs_of(turn: Turn) -> frozenset[Proof]:
    """What was proved by the secret this turn is about, and by the log-in beside it."""
    proofs: set[Proof] = {"voice"} if turn.proof == "voice" else {"otp"}
    if turn.proof == "voice" and proved_possession(turn.login):
        proofs.add("possession")
    if proved_password(turn.login):
        proofs.add("password")
    return frozenset(proofs)


async def next_proof(turn: Turn, order: Order, *, by_voice: bool = True) -> Next:
    """What is to be proved now; None when the order may be carried out. `by_voice` False after a voice was no way."""
    bank = bank_of(turn)
    given = frozenset(order.proofs or ())
    missing = await bank.orders.missing(turn.session, order)
    if order.kind in CHANGES:
        return await _next_for_change(turn, order, missing)
    way = await _way(turn, order) if "voice" not in given and (missing or "otp" in given) else "none"
    if way == "paused" and by_voice:
        return HUMAN
    is_open = way == "open" and by_voice
    small = await bank.orders.voice_suffices(turn.session, order)
    if "otp" in missing:
        if is_open and small and proved_possession(turn.login):
            return AskSecret("voice", "order", order.id)
        return AskSecret("otp", "order", order.id, last=way != "none" and not by_voice)
    if "voice" in missing:
        return AskSecret("voice", "order", order.id, strict=True) if is_open else HUMAN
    if small or way == "none":
        return None
    return AskSecret("voice", "order", order.id) if is_open else HUMAN


async def _way(turn: Turn, order: Order) -> VoiceWay:
    """What the caller's voice is good for; none where it is not asked for, or an agent has made sure."""
    if not turn.on_call or order.kind not in VOICE_KINDS | CHANGES or order.vouched_by is not None:
        return "none"
    return await bank_of(turn).voiceprints.way(turn.session, customer_of(turn), f"order:{order.id}")


async def _next_for_change(turn: Turn, order: Order, missing: frozenset[str]) -> Next:
    """No code is sent where something else will be missing after it."""
    by_password = proved_password(turn.login)
    is_open = await _way(turn, order) == "open"
    if "voice" in missing and not (is_open or by_password):
        return HUMAN
    if "otp" in missing:
        return AskSecret("otp", "order", order.id)
    return AskSecret("voice", "order", order.id) if "voice" in missing else None
