"""How well the recogniser hears: `zhanggui eval asr`."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bot.channels.phone.audio import FRAME_BYTES, SAMPLE_RATE_HZ, codec
from bot.channels.phone.hearing.grammars import Grammar, closed, grammar
from bot.channels.phone.hearing.loading import load
from bot.channels.phone.hearing.recogniser import Decoder
from bot.channels.phone.hearing.spelling import Spelling
from bot.channels.phone.loop import Expect
from bot.dialogue.reading.numerals import scan

CodecOption = Literal["none", "pcmu", "pcma"]
TAIL_S: Final = 0.5  # a caller falls silent before the sentence is taken
_MARKS = re.compile(r"[\s，。！？、；：,.!?;:（）()“”\"'·~…-]+")
_DIGIT_RUN = re.compile(r"[零〇一二三四五六七八九幺0-9]{2,}")
_DIGITS: Final = {char: str(value) for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": "0",
    "幺": "1",
}


class ManifestError(Exception):
    """A manifest that cannot be used; names the line and what is wrong with it."""

    code = "manifest_invalid"


@dataclass(frozen=True, slots=True)
class Line:
    """One recording of a manifest.

    `grammar` are the only phrases it may be; None asks for what the counter may hear at any time, with `phrases`
    (this caller's payees, the choices offered) among it.
    """

    audio: Path
    text: str
    grammar: tuple[str, ...] | None
    phrases: tuple[str, ...] = ()


def read_manifest(path: Path) -> list[Line]:
    """Lines of {"audio", "text"[, "grammar"][, "phrases"]}; audio lies beside the manifest. Raises ManifestError."""
    lines = []
    for number, raw in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        if not raw.strip():
            continue
        try:
            entry = json.loads(raw)
            audio, text = entry["audio"], entry["text"]
            only, phrases = entry.get("grammar"), entry.get("phrases")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestError(f"line {number}: not an object with audio and text") from error
        if not isinstance(audio, str) or not isinstance(text, str):
            raise ManifestError(f"line {number}: audio and text are strings")
        if not (_is_list(only) and _is_list(phrases)):
            raise ManifestError(f"line {number}: grammar and phrases are lists of strings")
        lines.append(
            Line(path.parent / audio, text, None if only is None else tuple(only), tuple(phrases or ()))
        )
    if not lines:
        raise ManifestError("the manifest is empty")
    return lines


def _is_list(given: object) -> bool:
    """Of strings, or nothing at all."""
    return given is None or (isinstance(given, list) and all(isinstance(one, str) for one in given))


def normalised(text: str) -> str:
    """Characters that count: no marks, numbers as digits however they were said or written."""
    bare = _MARKS.sub("", text.lower()).replace("[unk]", "")
    bare = _DIGIT_RUN.sub(lambda run: "".join(_DIGITS.get(char, char) for char in run[0]), bare)
    made, at = "", 0
    for found in scan(bare):
        value = found.number.value
        if value is None or found.number.digits:
            continue
        made += bare[at : found.start] + f"{value.normalize():f}"
        at = found.end
    made += bare[at:]
    return "".join(_DIGITS.get(char, char) for char in made)


def errors(said: str, heard: str) -> int:
    """Characters to insert, delete or replace."""
    row = list(range(len(heard) + 1))
    for at, left in enumerate(said, 1):
        before, row = row, [at]
        for place, right in enumerate(heard, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (left != right)))
    return row[-1]


def recorded(path: Path) -> tuple[NDArray[np.float64], int]:
    """A recording, its channels mixed, full scale 1, and its rate in Hz. Raises ManifestError, naming the file."""
    import soundfile

    if not path.is_file():
        raise ManifestError(f"{path}: no such file; paths are those from the folder of the list")
    try:
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ManifestError(f"{path}: cannot be read as audio") from error
    if not np.isfinite(samples).all():
        raise ManifestError(f"{path}: holds samples that are no numbers")
    return samples.mean(axis=1), rate_hz


def telephone_pcm(path: Path, rate_hz: int, through: CodecOption) -> bytes:
    """The recording as it reaches the recogniser: brought to `rate_hz`, through the codec, at 8 kHz."""
    wave, from_hz = recorded(path)
    for to_hz in dict.fromkeys((rate_hz, SAMPLE_RATE_HZ)):
        if to_hz != from_hz:
            wave, from_hz = resample_poly(wave, to_hz, from_hz), to_hz
    pcm = bytes(np.clip(np.rint(wave * 32767), -32768, 32767).astype("<i2").tobytes())
    if through == "none":
        return pcm
    way = codec("PCMU" if through == "pcmu" else "PCMA")
    return way.decode(way.encode(pcm))


def measure(
    lines: list[Line], model: str, *, rate_hz: int, through: CodecOption, free_speech: bool
) -> dict[str, float | int]:
    """`n`, `cer` (of normalised characters), `exact` (share of lines wholly right), `rtf` (decoding / audio time)."""
    loaded = load(model)
    decoder = Decoder(loaded, Spelling(loaded.knows))
    wrong = characters = right = 0
    spent_s = audio_s = 0.0
    for line in lines:
        pcm = telephone_pcm(line.audio, rate_hz, through) + bytes(int(TAIL_S * SAMPLE_RATE_HZ) * 2)
        decoder.use(_grammar(line, free_speech=free_speech))
        began_s = time.perf_counter()
        for at in range(0, len(pcm), FRAME_BYTES * 5):
            decoder.feed(pcm[at : at + FRAME_BYTES * 5])
        heard = normalised(decoder.finish().text)
        spent_s += time.perf_counter() - began_s
        audio_s += len(pcm) / 2 / SAMPLE_RATE_HZ
        said = normalised(line.text)
        wrong += errors(said, heard)
        characters += len(said)
        right += said == heard
    return {
        "n": len(lines),
        "cer": round(wrong / max(1, characters), 4),
        "exact": round(right / len(lines), 4),
        "rtf": round(spent_s / max(audio_s, 1e-9), 4),
    }


def _grammar(line: Line, *, free_speech: bool) -> Grammar | None:
    if line.grammar:
        return closed(line.grammar)
    return None if free_speech else grammar(Expect.WORDS, line.phrases)


def report(lines: list[Line], model: str, **options: Any) -> str:
    """The figures as one line of JSON."""
    return json.dumps(measure(lines, model, **options), ensure_ascii=False)
