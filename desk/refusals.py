"""Turns what the hub and the bank refuse into what the desk answers."""

from __future__ import annotations

from banking_core.errors import BankError, NotFound, ProviderUnavailable
from bot.surfaces.errors import BadRequest, SurfaceError
from desk.errors import ClaimLost, ConversationOver, DeskError, NotThere, NotYours, Refused

_BY_HUB_CODE: dict[str, type[SurfaceError]] = {
    "not_found": NotThere,
    "not_owner": NotYours,
    "already_claimed": ClaimLost,
    "not_queued": ClaimLost,
    "closed": ConversationOver,
    "message_too_long": BadRequest,
}


class BankRefusal(DeskError):
    """A refusal of the bank's, shown as it is."""

    code = "bank_refusal"
    status = 409


def refusal_of(error: Exception) -> SurfaceError | None:
    """The desk's answer to a refusal from elsewhere, or None when the error is no refusal but a fault."""
    if isinstance(error, SurfaceError):
        return error
    if isinstance(error, BankError):
        if isinstance(error, NotFound):
            return NotThere()
        return None if isinstance(error, ProviderUnavailable) else BankRefusal(error.customer_text)
    code = getattr(error, "code", "")
    if code in ("proposal_refused", "nothing_held"):
        return Refused(getattr(error, "customer_text", None))
    kind = _BY_HUB_CODE.get(code)
    return kind() if kind is not None else None
