"""Two wishes in one breath: 查下余额，再给张三转五百. The words that join them split the sentence; whether the
pieces really are wishes is for the understanding service and the engine to say."""

from __future__ import annotations

import re

WISHES_MAX = 3
PIECE_LENGTH_MIN = 3
PIECE_LENGTH_MAX = 80

_JOINT = re.compile(
    r"[，,。；;！!\s]*(?:然后再?|接着再?|顺便再?|顺带|顺手|另外再?|还有就是|还有|完了之?后?再?|完事再?|办完再?|之后再?|同时|并且|以及)"
    r"|[，,。；;！!\s]+(?:再|也)|[。；;！!]|[，,](?=帮|给|把|查|看|交|充|缴|我还?要|我还?想)"
)
_FIRST = re.compile(r"^(?:先|首先|麻烦先|请先|帮我先|我想先|我先|我要先)")
_EDGE = "，,。；;！!？? 　吧"


def split_wishes(text: str) -> list[str]:
    """The pieces of a sentence that may each be a wish of its own; empty when there is only one."""
    if len(text) > WISHES_MAX * PIECE_LENGTH_MAX:
        return []
    pieces = [_FIRST.sub("", piece.strip(_EDGE)) for piece in _JOINT.split(text)]
    pieces = [piece for piece in pieces if piece]
    if not 2 <= len(pieces) <= WISHES_MAX:
        return []
    if any(not PIECE_LENGTH_MIN <= len(piece) <= PIECE_LENGTH_MAX for piece in pieces):
        return []
    return pieces
