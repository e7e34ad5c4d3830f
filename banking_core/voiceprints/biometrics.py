"""The port through which voices are compared. The bank keeps, decides and counts; what a voice is, it does not know.

The telephone makes a `VoiceSample` of a recording, outside of any transaction; `Biometrics` compares samples with
templates, quickly and inside of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, get_args

Fault = Literal["", "too_short", "too_quiet", "clipped", "noisy", "not_speech", "two_voices"]
Tier = Literal["low", "medium", "high"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


NOTHING_HEARD = (
    -100.0
)  # log-likelihood ratio where nothing speaks for the digits; a figure, so that it can be kept


@dataclass(frozen=True)
class VoiceSample:
    """What was made of one recording of the spoken password `prompt_id`.

    `embedding` and `fingerprint` are opaque; `content` is the log-likelihood ratio of the digits asked for against
    other digits; `replayed` says that it, or a copy of it, was heard before; `fault` says why the recording is no
    good, and then the rest may be empty. `audio` is PCM for a bank that keeps recordings.
    """

    prompt_id: str
    embedding: bytes = field(default=b"", repr=False)
    fingerprint: bytes = field(default=b"", repr=False)
    content: float = NOTHING_HEARD
    replayed: bool = False
    fault: Fault = ""
    audio: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError("unknown fault")
        if not math.isfinite(self.content):
            raise ValueError("a likelihood ratio is a finite number")


@dataclass(frozen=True)
class Likeness:
    """How much speaks for the same voice: a log-likelihood ratio, and the risks for which that is enough.

    `stale`: the template is so old that the customer should record anew.
    """

    llr: float
    accepted: frozenset[Tier] = frozenset()
    stale: bool = False


class Biometrics(Protocol):
    """Compares voices. Must be quick: it runs inside the caller's transaction."""

    @property
    def encoder(self) -> str:
        """Which encoder this is: embeddings and templates of another one cannot be compared."""
        ...

    def template(self, embeddings: Sequence[bytes], now: datetime) -> bytes | None:
        """A template out of one or several embeddings; None when they are not of one voice."""
        ...

    def compare(self, template: bytes, embedding: bytes, now: datetime) -> Likeness:
        """A voice against a template."""
        ...

    def adapted(self, template: bytes, embedding: bytes, now: datetime) -> bytes:
        """The template moved a little towards the voice; as it was where it is not sure that it is the same."""
        ...


@dataclass(frozen=True)
class SpokenPassword:
    """The digits a caller must say, once, in time; `former` are fingerprints of what they said before."""

    prompt_id: str
    digits: str = field(repr=False)
    former: tuple[bytes, ...] = field(default=(), repr=False)
