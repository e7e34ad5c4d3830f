"""Voices for the bank: what encoder and recogniser make of digits said aloud, behind the bank's ports."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from banking_core.voiceprints import Fault, Likeness, SpokenPassword, VoiceSample
from bot.channels.phone.audio import SAMPLE_RATE_HZ
from bot.channels.phone.errors import NoSpeech, TemplateUnreadable, VoiceprintFailed, VoiceRefused
from bot.channels.phone.hearing.content import ContentEar
from bot.channels.phone.hearing.loading import Loaded
from bot.channels.phone.voiceprint import replay
from bot.channels.phone.voiceprint.embedding import Embedding
from bot.channels.phone.voiceprint.listener import Voiceprint
from bot.channels.phone.voiceprint.template import Template

log = logging.getLogger(__name__)
FAULT_OF: Final[dict[str, Fault]] = {
    "too_short": "too_short",
    "too_quiet": "too_quiet",
    "clipped": "clipped",
    "noisy": "noisy",
    "not_speech": "not_speech",
    "two_voices": "two_voices",
}
THREADS: Final = 1  # a verification is a tenth of a second; more at once would take the calls' sound away


class EncodedVoices:
    """The bank's `Biometrics`, with a speaker encoder."""

    def __init__(self, voiceprint: Voiceprint) -> None:
        self._voiceprint = voiceprint

    @property
    def encoder(self) -> str:
        """Which weights."""
        return self._voiceprint.model

    def template(self, embeddings: Sequence[bytes], now: datetime) -> bytes | None:
        """See `Biometrics`."""
        try:
            return self._voiceprint.enrol([unpacked(one) for one in embeddings], now).to_bytes()
        except VoiceRefused:
            return None

    def compare(self, template: bytes, embedding: bytes, now: datetime) -> Likeness:
        """See `Biometrics`. What cannot be compared is not alike."""
        try:
            verdict = self._voiceprint.score(Template.from_bytes(template), unpacked(embedding), now)
        except VoiceRefused as error:
            log.warning("voice not compared code=%s", error.code)
            return Likeness(0.0, frozenset(), stale=True)
        return Likeness(verdict.llr, frozenset(verdict.accepted), verdict.stale)

    def adapted(self, template: bytes, embedding: bytes, now: datetime) -> bytes:
        """See `Biometrics`."""
        before = Template.from_bytes(template)
        after = self._voiceprint.adapt(before, unpacked(embedding), now)
        return template if after is before else after.to_bytes()


class Examiner:
    """A `VoiceExaminer`: quality first, then voice, digits and whether it was heard before, on a thread of its own."""

    def __init__(self, voiceprint: Voiceprint, loaded: Loaded, *, keep_audio: bool = False) -> None:
        self._voiceprint, self._loaded, self._keep_audio = voiceprint, loaded, keep_audio
        self._ear: ContentEar | None = None
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="voiceprint")

    async def examine(self, pcm: bytes, password: SpokenPassword) -> VoiceSample:
        """What the recording is worth. What breaks is no fault of the caller, and is told as one all the same."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._examine, pcm, password)
        except VoiceprintFailed as error:
            log.error("voiceprint failed code=%s", error.code)
            return VoiceSample(password.prompt_id, fault="not_speech")

    async def close(self) -> None:
        """Waits for the work under way."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)

    def _examine(self, pcm: bytes, password: SpokenPassword) -> VoiceSample:
        audio = pcm if self._keep_audio else b""
        wave: NDArray[np.int16] = np.frombuffer(pcm, "<i2")
        quality = self._voiceprint.quality(wave, SAMPLE_RATE_HZ)
        mark = replay.fingerprint(wave, SAMPLE_RATE_HZ)
        if not quality.good:
            return VoiceSample(
                password.prompt_id,
                fingerprint=mark,
                fault=FAULT_OF.get(quality.code, "not_speech"),
                audio=audio,
            )
        try:
            voice = self._voiceprint.embed(wave, SAMPLE_RATE_HZ)
        except NoSpeech:
            return VoiceSample(password.prompt_id, fingerprint=mark, fault="not_speech", audio=audio)
        self._ear = self._ear or ContentEar(self._loaded)
        return VoiceSample(
            password.prompt_id,
            packed(voice),
            mark,
            self._ear.llr(password.digits, pcm),
            replay.find(wave, SAMPLE_RATE_HZ, password.former).found,
            "",
            audio,
        )


def packed(voice: Embedding) -> bytes:
    """An embedding for the bank to keep for the minutes of an enrolment."""
    head = json.dumps({"model": voice.model, "speech_s": voice.speech_s}).encode()
    return len(head).to_bytes(2, "little") + head + voice.vector.astype("<f4").tobytes()


def unpacked(data: bytes) -> Embedding:
    """What `packed` gave. Raises TemplateUnreadable."""
    try:
        end = 2 + int.from_bytes(data[:2], "little")
        head: dict[str, Any] = json.loads(data[2:end])
        vector = np.frombuffer(data[end:], "<f4").astype(np.float32)
        return Embedding(vector, str(head["model"]), float(head["speech_s"]))
    except (ValueError, KeyError, TypeError) as error:
        raise TemplateUnreadable(type(error).__name__) from None
