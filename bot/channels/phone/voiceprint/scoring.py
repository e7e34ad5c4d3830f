"""How likely it is that the speaker is who enrolled: normalised, calibrated, and held against the risk.

What belongs to one model's weights lies beside them: `cohort.npy`, voices of the training as unit vectors
(float16, voices x size), and `scoring.json`, the calibration and the thresholds, each a log-likelihood ratio.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bot.channels.phone.errors import OtherModel, VoiceprintFailed, VoicesDiffer
from bot.channels.phone.voiceprint.embedding import Embedding
from bot.channels.phone.voiceprint.template import Template, averaged, moved
from bot.channels.phone.voiceprint.windows import AlikeRule

Tier = Literal["low", "medium", "high"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
AGE_FRESH_DAYS: Final = 180
AGE_MAX_DAYS: Final = 1095  # three years: enrol again
AGE_HALVING_DAYS: Final = 1095  # after AGE_FRESH_DAYS a template says half as much every so many days
SPEECH_S_RANGE: Final = (0.4, 6.0)  # beyond it the calibration was not measured
LLR_LIMIT: Final = 20.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-likelihood ratio = `slope` * score + `offset`, both lines of the logarithm of the seconds of speech."""

    slope: float
    slope_per_log_s: float
    offset: float
    offset_per_log_s: float

    def llr(self, score: float, speech_s: float) -> float:
        """Natural logarithm; above 0 the same voice is likelier than another."""
        size = float(np.log(np.clip(speech_s, *SPEECH_S_RANGE)))
        value = (
            (self.slope + self.slope_per_log_s * size) * score + self.offset + self.offset_per_log_s * size
        )
        return float(np.clip(value, -LLR_LIMIT, LLR_LIMIT))


@dataclass(frozen=True, slots=True)
class Rules:
    """What `scoring.json` holds. `similar` cohort voices normalise a score; 0 leaves the cosine as it is."""

    similar: int
    calibration: Calibration
    thresholds: Mapping[Tier, float]
    same_voice_llr: float  # between one enrolment and the others
    adapt_llr: float
    alike: AlikeRule  # between parts of one recording

    @classmethod
    def read(cls, file: Path) -> Rules:
        """Raises VoiceprintFailed if it cannot be used."""
        try:
            given = json.loads(file.read_text("utf-8"))
            return cls(
                int(given["similar"]),
                Calibration(**given["calibration"]),
                {tier: float(given["thresholds"][tier]) for tier in TIERS},
                float(given["same_voice_llr"]),
                float(given["adapt_llr"]),
                AlikeRule(**given["alike"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise VoiceprintFailed(f"{file.name} cannot be used: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`llr` considers the template's age; `cosine` and `score` are for measuring. `stale`: ask to enrol again."""

    llr: float
    cosine: float
    score: float
    accepted: tuple[Tier, ...]
    stale: bool

    def accepted_at(self, tier: Tier) -> bool:
        """Whether it is enough for this risk."""
        return tier in self.accepted


# Where no cohort was made for a model: the cosine alone, as SpeechBrain's own verification judges it (0.25).
PLAIN: Final = Rules(
    similar=0,
    calibration=Calibration(slope=20.0, slope_per_log_s=0.0, offset=-5.0, offset_per_log_s=0.0),
    thresholds={"low": 2.0, "medium": 4.0, "high": 6.0},
    same_voice_llr=0.0,
    adapt_llr=6.0,
    alike=AlikeRule(at_1_s=0.1, per_log_s=0.0),
)


class Scorer:
    """Compares voices of one model. Holds no customer's data and is shared by all calls."""

    def __init__(self, rules: Rules, cohort: NDArray[np.float32]) -> None:
        self.rules, self._cohort = rules, np.asarray(cohort, np.float32)
        if rules.similar and len(self._cohort) < rules.similar:
            raise VoiceprintFailed(f"a cohort of {len(self._cohort)} voices for {rules.similar}")

    @classmethod
    def beside(cls, folder: Path) -> Scorer:
        """From the files beside a model's weights; without them, PLAIN."""
        if not (folder / "scoring.json").is_file():
            return cls(PLAIN, np.zeros((0, 1), np.float32))
        try:
            cohort = np.load(folder / "cohort.npy", allow_pickle=False).astype(np.float32)
        except (OSError, ValueError) as error:
            raise VoiceprintFailed(f"cohort.npy cannot be used: {type(error).__name__}") from None
        return cls(Rules.read(folder / "scoring.json"), cohort)

    def compare(self, left: NDArray[np.float32], right: NDArray[np.float32]) -> tuple[float, float]:
        """Cosine and normalised score of two unit vectors."""
        cosine = float(left @ right)
        if not self.rules.similar:
            return cosine, cosine
        return cosine, (self._against(left, cosine) + self._against(right, cosine)) / 2

    def _against(self, vector: NDArray[np.float32], cosine: float) -> float:
        """How far the cosine stands out from those of the voices most like this one."""
        likest = np.sort(self._cohort @ vector)[-self.rules.similar :]
        return (cosine - float(likest.mean())) / max(float(likest.std()), 1e-3)

    def score(self, enrolment: Template, embedding: Embedding, now: datetime) -> Verdict:
        """Whether this is the voice. Raises OtherModel if the template was made by other weights."""
        if enrolment.model != embedding.model:
            raise OtherModel(f"template of {enrolment.model}, voice of {embedding.model}")
        cosine, score = self.compare(enrolment.vector, embedding.vector)
        days = _age_days(enrolment, now)
        llr = self.rules.calibration.llr(score, embedding.speech_s) * _worth(days)
        good = tuple(tier for tier in TIERS if llr >= self.rules.thresholds[tier] and days <= AGE_MAX_DAYS)
        return Verdict(llr, cosine, score, good, days > AGE_FRESH_DAYS * 2)

    def enrol(self, embeddings: Sequence[Embedding], now: datetime) -> Template:
        """A template of several recordings. Raises VoicesDiffer if one is unlike the others."""
        for at, one in enumerate(embeddings):
            others = [*embeddings[:at], *embeddings[at + 1 :]]
            if others and self.score(averaged(others, now), one, now).llr < self.rules.same_voice_llr:
                raise VoicesDiffer(f"enrolment {at + 1} of {len(embeddings)}")
        return averaged(embeddings, now)

    def adapt(self, enrolment: Template, embedding: Embedding, now: datetime) -> Template:
        """The template moved a little, or as it was if the voice is not surely the same.

        To be called only after proofs that do not rest on the voice (a password and a code), so that an impostor who
        passed once cannot draw the template to himself.
        """
        verdict = self.score(enrolment, embedding, now)
        return moved(enrolment, embedding, now) if verdict.llr >= self.rules.adapt_llr else enrolment


def _age_days(enrolment: Template, now: datetime) -> float:
    """Since it was recorded: following the voice a little makes it no younger."""
    return max(0.0, (now - enrolment.enrolled_at).total_seconds() / 86400)


def _worth(days: float) -> float:
    """Voices change: what an old template says, for or against, weighs less."""
    return float(0.5 ** (max(0.0, days - AGE_FRESH_DAYS) / AGE_HALVING_DAYS))
