"""Voices that need no audio: an embedding is a name and a share of it, a fingerprint is a text."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from banking_core.voiceprints import Fault, Likeness, VoiceSample

STALE_AFTER = timedelta(days=400)
_takes = itertools.count(1)


class Voices:
    """`Biometrics` of names: the same name is near, another one far; `encoder` can be changed."""

    def __init__(self, encoder: str = "names-1") -> None:
        self.encoder = encoder

    def template(self, embeddings: Sequence[bytes], now: datetime) -> bytes | None:
        names = {json.loads(one)["name"] for one in embeddings}
        made = {"name": names.pop(), "at": now.isoformat(), "moved": 0}
        return json.dumps(made).encode() if not names else None

    def compare(self, template: bytes, embedding: bytes, now: datetime) -> Likeness:
        kept, heard = json.loads(template), json.loads(embedding)
        llr = heard["llr"] if kept["name"] == heard["name"] else -8.0
        bars = {"low": 2.0, "medium": 4.0, "high": 6.0}
        accepted = frozenset(tier for tier, bar in bars.items() if llr >= bar)
        return Likeness(llr, accepted, now - datetime.fromisoformat(kept["at"]) > STALE_AFTER)  # type: ignore[arg-type]

    def adapted(self, template: bytes, embedding: bytes, now: datetime) -> bytes:
        kept, heard = json.loads(template), json.loads(embedding)
        if heard["llr"] < 6.0:
            return template
        return json.dumps(kept | {"moved": kept["moved"] + 1}).encode()


def said(
    prompt_id: str,
    name: str = "张伟",
    *,
    llr: float = 8.0,
    content: float = 20.0,
    fault: Fault = "",
    take: str = "",
    former: Sequence[bytes] = (),
    audio: bytes = b"",
) -> VoiceSample:
    """A recording of `name`; the same `take` is the same recording."""
    fingerprint = (take or f"take {next(_takes)}").encode()
    embedding = json.dumps({"name": name, "llr": llr}).encode()
    return VoiceSample(prompt_id, embedding, fingerprint, content, fingerprint in former, fault, audio)
