"""The bank's `Biometrics` in a process that may never need them: the encoder is loaded for the first voice."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from banking_core.voiceprints import Likeness, VoiceUnavailable

if TYPE_CHECKING:
    from bot.channels.phone.examining import EncodedVoices

log = logging.getLogger(__name__)


class VoicesAtNeed:
    """Whatever it is asked first loads the encoder, once per process. Raises VoiceUnavailable where there is none."""

    def __init__(self, which: str) -> None:
        self._which = which

    @property
    def encoder(self) -> str:
        """Which weights."""
        return self._voices().encoder

    def template(self, embeddings: Sequence[bytes], now: datetime) -> bytes | None:
        """See `Biometrics`."""
        return self._voices().template(embeddings, now)

    def compare(self, template: bytes, embedding: bytes, now: datetime) -> Likeness:
        """See `Biometrics`."""
        return self._voices().compare(template, embedding, now)

    def adapted(self, template: bytes, embedding: bytes, now: datetime) -> bytes:
        """See `Biometrics`."""
        return self._voices().adapted(template, embedding, now)

    def _voices(self) -> EncodedVoices:
        from bot.channels.phone.errors import VoiceprintFailed
        from bot.channels.phone.examining import EncodedVoices
        from bot.channels.phone.voiceprint.listener import Voiceprint

        try:
            return EncodedVoices(Voiceprint.load(self._which))
        except VoiceprintFailed as error:
            log.error("voiceprint failed code=%s: %s", error.code, error)
            raise VoiceUnavailable("the encoder cannot be loaded") from error
