"""The whole transcript, page by page."""

from __future__ import annotations

from typing import Any

from desk.ports import LookPort
from desk.views import message_view

PAGE = 200
MESSAGES_MAX = 2000


async def read_transcript(look: LookPort, after_seq: int) -> list[dict[str, Any]]:
    """Messages after `after_seq`, ascending; with 0 the whole conversation (newest `MESSAGES_MAX`)."""
    if after_seq > 0:
        return await _forward(look, after_seq, MESSAGES_MAX)
    newest = [message_view(m) for m in await look.history(after_seq=0, limit=PAGE)]
    if len(newest) < PAGE or newest[0]["seq"] <= 1:
        return newest
    # The hub reads forward only, so what came before the newest page is read from its beginning.
    first_seq = max(1, newest[0]["seq"] - (MESSAGES_MAX - PAGE))
    earlier = await _forward(look, first_seq, newest[0]["seq"] - first_seq)
    return [message for message in earlier if message["seq"] < newest[0]["seq"]] + newest


async def _forward(look: LookPort, after_seq: int, count_max: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    while len(messages) < count_max:
        page = [message_view(m) for m in await look.history(after_seq=after_seq, limit=PAGE)]
        messages += page
        if len(page) < PAGE:
            break
        after_seq = page[-1]["seq"]
    return messages
