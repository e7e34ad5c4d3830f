"""Which proof an order is asked for next: a code, or on the telephone a voice, alone or beside the code.

A voice is asked for only of those who have recorded one, and only for transfers by telephone:

    small amount, log-in by code      voice; not had: a code by keys
    larger amount                     code, then voice; not had: a human
    the risk engine wants both        code, then voice, both strictly; not had: a human
    clearly somebody else, a replay   a human, whatever else could be proved
"""

from __future__ import annotations

from typing import Literal

from actions.services import bank_of, customer_of
from banking_core.identity import proved_possession
from banking_core.orders.models import Order
from banking_core.orders.proofs import Proof
from bot.dialogue.skill import AskSecret, Turn

BY_TELEPHONE = "phone"
VOICE_KINDS = frozenset({"transfer"})
HUMAN: Literal["human"] = "human"
Next = AskSecret | Literal["human"] | None


def proofs_of(turn: Turn) -> frozenset[Proof]:
    """What was proved by the secret this turn is about, and by the log-in beside it."""
    if turn.proof != "voice":
        return frozenset({"otp"})
    return frozenset({"voice", "possession"} if proved_possession(turn.login) else {"voice"})


async def next_proof(turn: Turn, order: Order, *, by_voice: bool = True) -> Next:
    """What is to be proved now; None when the order may be carried out. `by_voice` False after a voice was no way."""
    bank, customer_id = bank_of(turn), customer_of(turn)
    given = frozenset(order.proofs or ())
    missing = await bank.orders.missing(turn.session, order)
    on_phone = turn.on_call and order.kind in VOICE_KINDS and "voice" not in given
    wanted = on_phone and (bool(missing) or "otp" in given)
    if wanted and by_voice and await bank.voiceprints.paused(turn.session, customer_id):
        return HUMAN
    offered = (
        wanted and by_voice and await bank.voiceprints.offered(turn.session, customer_id, f"order:{order.id}")
    )
    small = await bank.orders.voice_suffices(turn.session, order)
    if "otp" in missing:
        if offered and small and proved_possession(turn.login):
            return AskSecret("voice", "order", order.id)
        return AskSecret("otp", "order", order.id, last=wanted and not by_voice)
    if "voice" in missing:
        return AskSecret("voice", "order", order.id, strict=True) if offered else HUMAN
    return AskSecret("voice", "order", order.id) if offered and not small else None
