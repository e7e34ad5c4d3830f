"""Which speaker model listens: the bundled one, an ONNX file, or one through SpeechBrain's own loader.

An ONNX file takes `wave`, float32 (1, samples) of speech alone at 8 kHz with full scale 1, and gives `embedding`,
float32 (1, size): its features are in the graph.
"""

from __future__ import annotations

import hashlib
import threading
from math import gcd
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bot.channels.phone.errors import NoSpeech, VoiceprintFailed
from bot.channels.phone.unreported import unreported
from bot.channels.phone.voiceprint.embedding import Embedding, SpeakerEncoder, unit
from bot.channels.phone.voiceprint.speech import RATE_HZ, spoken

BUNDLED: Final = "bundled"
BUNDLED_FILE: Final = Path(__file__).parent / "model" / "encoder.onnx"
SPEECH_MIN_S: Final = 0.3
SPEECH_MAX_S: Final = 20.0  # more says nothing new and costs time
SPEECHBRAIN_RATE_HZ: Final = 16000
_lock = threading.Lock()
_loaded: dict[str, SpeakerEncoder] = {}


def load(which: str = BUNDLED) -> SpeakerEncoder:
    """Loads once per process: "bundled", the path of an ONNX file, or a name such as speechbrain/spkrec-ecapa-voxceleb.

    Raises VoiceprintFailed, with a reason that names no caller and no secret.
    """
    with _lock:
        if which not in _loaded:
            _loaded[which] = _load(which)
        return _loaded[which]


def _load(which: str) -> SpeakerEncoder:
    file = BUNDLED_FILE if which == BUNDLED else Path(which).expanduser()
    if file.suffix == ".onnx":
        if not file.is_file():
            raise VoiceprintFailed(f"there is no model at {which!r}; 找不到声纹模型文件")
        return OnnxEncoder(file)
    if which.count("/") == 1 and not which.startswith((".", "/", "~")):
        return SpeechBrainEncoder(which)
    raise VoiceprintFailed(
        f"{which!r} is neither `bundled`, an .onnx file nor a SpeechBrain name; 声纹模型设置无法识别"
    )


def at_rate(pcm: NDArray[Any], from_hz: int, to_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """The samples at another rate, on the same scale."""
    if from_hz == to_hz:
        return np.asarray(pcm, np.float32)
    common = gcd(from_hz, to_hz)
    return np.asarray(
        resample_poly(np.asarray(pcm, np.float32), to_hz // common, from_hz // common), np.float32
    )


def speech_of(pcm: NDArray[Any], rate_hz: int) -> NDArray[np.float32]:
    """What an encoder is fed: speech alone at 8 kHz, at most SPEECH_MAX_S. Raises NoSpeech."""
    speech = spoken(at_rate(pcm, rate_hz))[: int(SPEECH_MAX_S * RATE_HZ)]
    if len(speech) < SPEECH_MIN_S * RATE_HZ:
        raise NoSpeech(f"{len(speech) / RATE_HZ:.2f} s of speech")
    return speech


class OnnxEncoder:
    """Runs in onnxruntime, on the calling thread alone."""

    def __init__(self, file: Path) -> None:
        unreported()
        try:
            import onnxruntime
        except ImportError as error:
            raise VoiceprintFailed(f"onnxruntime cannot be imported: {type(error).__name__}") from None
        try:
            data = file.read_bytes()
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # what the runtime raises has no type of its own
            raise VoiceprintFailed(f"{file.name!r} cannot be read: {type(error).__name__}") from None
        self.model = f"{file.stem}:{hashlib.sha256(data).hexdigest()[:12]}"

    def embed(self, pcm: NDArray[np.int16], rate_hz: int) -> Embedding:
        """See SpeakerEncoder."""
        speech = speech_of(pcm, rate_hz)
        return Embedding(self.vector(speech), self.model, len(speech) / RATE_HZ)

    def vector(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """See SpeakerEncoder."""
        try:
            (found,) = self._session.run(["embedding"], {"wave": speech[None]})
        except Exception as error:
            raise VoiceprintFailed(f"the encoder failed: {type(error).__name__}") from None
        return unit(np.asarray(found[0], np.float32))


class SpeechBrainEncoder:
    """A SpeechBrain `EncoderClassifier` by its name; needs the packages torch and speechbrain, and the network once."""

    def __init__(self, name: str) -> None:
        unreported()
        try:
            import torch
            from speechbrain.inference.speaker import EncoderClassifier
        except (ImportError, OSError) as error:
            raise VoiceprintFailed(
                f"{name} needs `pip install torch torchaudio speechbrain` ({type(error).__name__}); "
                "请先安装 speechbrain，或把 ZHANGGUI_VOICEPRINT_MODEL 设为 bundled"
            ) from None
        try:
            self._classifier = EncoderClassifier.from_hparams(source=name)
        except Exception as error:
            raise VoiceprintFailed(
                f"{name} cannot be fetched: {type(error).__name__}; 模型下载不到，请检查网络"
            ) from None
        if self._classifier is None:
            raise VoiceprintFailed(f"{name} holds no encoder; 该模型不是声纹编码器")
        self._torch = torch
        self.model = name

    def embed(self, pcm: NDArray[np.int16], rate_hz: int) -> Embedding:
        """See SpeakerEncoder."""
        speech = speech_of(pcm, rate_hz)
        return Embedding(self.vector(speech), self.model, len(speech) / RATE_HZ)

    def vector(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """See SpeakerEncoder."""
        wave = self._torch.from_numpy(at_rate(speech, RATE_HZ, SPEECHBRAIN_RATE_HZ))[None]
        try:
            with self._torch.no_grad():
                found = self._classifier.encode_batch(wave)
        except RuntimeError as error:
            raise VoiceprintFailed(f"the encoder failed: {type(error).__name__}") from None
        return unit(np.asarray(found.reshape(-1).numpy(), np.float32))
