"""A customer's voice as it is kept. The bytes are personal data: whoever keeps them encrypts them.

`to_bytes` gives MAGIC, the length of the head (2 bytes, little-endian), the head as JSON, and the vector as float32.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.channels.phone.errors import TemplateUnreadable, VoiceprintFailed
from bot.channels.phone.voiceprint.embedding import Embedding, unit

MAGIC: Final = b"ZVP1"
ADAPT_WEIGHT: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """`vector` is the unit average of `count` enrolments; all times are aware."""

    model: str
    vector: NDArray[np.float32]
    count: int
    enrolled_at: datetime
    adapted_at: datetime | None = None
    adaptations: int = 0

    def to_bytes(self) -> bytes:
        """To be encrypted and kept."""
        head: dict[str, Any] = {
            "model": self.model,
            "count": self.count,
            "enrolled_at": self.enrolled_at.isoformat(),
            "adapted_at": self.adapted_at.isoformat() if self.adapted_at else None,
            "adaptations": self.adaptations,
        }
        text = json.dumps(head).encode()
        return MAGIC + len(text).to_bytes(2, "little") + text + self.vector.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Template:
        """What `to_bytes` gave. Raises TemplateUnreadable for anything else."""
        try:
            if data[:4] != MAGIC:
                raise ValueError("not a template")
            end = 6 + int.from_bytes(data[4:6], "little")
            head = json.loads(data[6:end])
            vector = np.frombuffer(data[end:], "<f4").astype(np.float32)
            if not len(vector) or abs(float(np.linalg.norm(vector)) - 1.0) > 1e-3:
                raise ValueError("no unit vector")
            adapted = head["adapted_at"]
            return cls(
                str(head["model"]),
                vector,
                int(head["count"]),
                datetime.fromisoformat(head["enrolled_at"]),
                datetime.fromisoformat(adapted) if adapted else None,
                int(head["adaptations"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise TemplateUnreadable(type(error).__name__) from None


def averaged(embeddings: Sequence[Embedding], now: datetime) -> Template:
    """A template of several enrolments of equal weight. Whether they are one voice is `Scorer.enrol`'s to ask."""
    models = {one.model for one in embeddings}
    if len(models) != 1:
        raise VoiceprintFailed(f"enrolments of {len(models)} models")
    vector = unit(np.sum([one.vector for one in embeddings], axis=0, dtype=np.float32))
    return Template(models.pop(), vector, len(embeddings), now)


def moved(template: Template, embedding: Embedding, now: datetime) -> Template:
    """The template a little nearer to `embedding`."""
    mixed = (1 - ADAPT_WEIGHT) * template.vector + ADAPT_WEIGHT * embedding.vector
    return replace(template, vector=unit(mixed), adapted_at=now, adaptations=template.adaptations + 1)
