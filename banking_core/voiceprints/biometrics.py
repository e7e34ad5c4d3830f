"""The port through which voices are compared. The bank keeps, decides and counts; what a voice is, it does not know.

The telephone makes a `VoiceSample` of a recording, outside of any transaction; `Biometrics` compares samples with
templates, quickly and inside of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

Fault = Literal["", "silent", "too_short", "too_noisy", "clipped", "several_voices"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class VoiceSample:
    """What was made of one recording of the spoken password `prompt_id`.

    `embedding` and `fingerprint` are opaque; `content` is the log-likelihood ratio of the digits asked for against
    other digits; `fault` says why the recording is no good, and then the rest may be empty. `audio` is PCM for a bank
    that keeps recordings.
    """

    prompt_id: str
    embedding: bytes = field(default=b"", repr=False)
    fingerprint: bytes = field(default=b"", repr=False)
    content: float = float("-inf")
    fault: Fault = ""
    audio: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError("unknown fault")


class Biometrics(Protocol):
    """Compares voices. Must be quick: it runs inside the caller's transaction."""

    @property
    def encoder(self) -> str:
        """Which encoder this is: embeddings and templates of another one cannot be compared."""
        ...

    def template(self, embeddings: Sequence[bytes]) -> bytes:
        """A template out of several embeddings of one person."""
        ...

    def adapted(self, template: bytes, embedding: bytes) -> bytes:
        """The template, moved a little towards an embedding that surely is of the same person."""
        ...

    def nearness(self, template: bytes, embedding: bytes, *, age_days: float) -> float:
        """Log-likelihood ratio of "the same person" against "another one"; positive speaks for the same."""
        ...

    def same_recording(self, fingerprint: bytes, former: Sequence[bytes]) -> bool:
        """Whether the recording, or a copy of it, was played here before."""
        ...


@dataclass(frozen=True)
class SpokenPassword:
    """The digits a caller must say, once, until the prompt expires."""

    prompt_id: str
    digits: str = field(repr=False)
