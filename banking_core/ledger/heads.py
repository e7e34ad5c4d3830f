"""Chain heads written to a file, to be kept where whoever edits the database cannot reach."""

from __future__ import annotations

import json
from collections.abc import Sequence

from banking_core.checked import checked_function
from banking_core.ledger.errors import LedgerPostingInvalid
from banking_core.ledger.hashing import digest
from banking_core.ledger.types import Head

FORMAT = "zhanggui-ledger-heads-1"
HEADS_MAX = 1000


@checked_function
def heads_digest(heads: Sequence[Head]) -> str:
    """One value for the whole ledger, 64 hexadecimal characters; short enough to print or sign."""
    return digest([[head.chain, head.sequence, head.hash] for head in heads])


@checked_function
def dump_heads(heads: Sequence[Head]) -> str:
    """The file's text."""
    rows = [[head.chain, head.sequence, head.hash] for head in heads]
    return json.dumps({"format": FORMAT, "digest": heads_digest(heads), "heads": rows}, indent=1) + "\n"


def load_heads(text: str) -> tuple[Head, ...]:
    """Reads the file's text; raises LedgerPostingInvalid when it is no such file or was changed."""
    try:
        content = json.loads(text)
        heads = tuple(
            Head(int(chain), int(sequence), str(hash_)) for chain, sequence, hash_ in content["heads"]
        )
        sound = content["format"] == FORMAT and content["digest"] == heads_digest(heads)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise LedgerPostingInvalid("not a file of ledger heads") from error
    if not sound or len(heads) > HEADS_MAX:
        raise LedgerPostingInvalid("the file of ledger heads was changed")
    return heads
