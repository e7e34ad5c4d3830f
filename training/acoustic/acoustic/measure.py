"""Makes the test sets of held-out voices, and measures a model on them with the product's own `eval asr`.

Only recordings of speakers in `corpus.HELD_OUT`, of the digits' voice, and of held-out espeak voices are used.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from acoustic import corpus, phones, sentences, synthesis
from acoustic.corpus import RATE_HZ, Clip
from acoustic.mixing import _tighten
from acoustic.synthesis import Espeak

MENU: Final = (
    "查余额 转账 查明细 交电费 还信用卡 挂失 贷款 理财 转人工 取消 确认 不对 再说一遍 改密码 办卡"
).split()
NAMES: Final = "张三 李四 王芳 赵敏 陈伟 刘洋 周杰 吴静 孙丽 郑强 黄磊 徐娟".split()


def _write(folder: Path, name: str, items: Iterable[tuple[np.ndarray, str, list[str]]]) -> None:
    lines = []
    (folder / name).mkdir(parents=True, exist_ok=True)
    for at, (samples, text, grammar) in enumerate(items):
        path = folder / name / f"{at:04d}.wav"
        soundfile.write(path, samples, RATE_HZ, subtype="PCM_16")
        entry = {"audio": f"{name}/{path.name}", "text": text, **({"grammar": grammar} if grammar else {})}
        lines.append(json.dumps(entry, ensure_ascii=False))
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def _silent(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def _joined(clips: list[Clip], rng: random.Random, *, tight: bool, gap_s: float) -> np.ndarray:
    """One after the other, syllables quickened and cut to their voiced part."""
    parts = [_silent(0.3)]
    for clip in clips:
        wave = clip.samples.astype(np.float32)
        if tight:
            wave = soxr.resample(_tighten(soxr.resample(wave, RATE_HZ, 8000), 24.0), 8000, RATE_HZ)
        parts += [np.clip(wave, -32768, 32767).astype(np.int16), _silent(rng.uniform(0, gap_s))]
    return np.concatenate([*parts, _silent(0.3)])


def _digit_sets(folder: Path, clips: list[Clip]) -> None:
    """The digits of a voice never heard, alone and in strings of six, from its toned syllables."""
    rng = random.Random(2)
    table: dict[str, list[Clip]] = {}
    right = dict(
        zip("零一二三四五六七八九", "ling2 yi1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3".split(), strict=True)
    )
    for digit, name in right.items():
        table[digit] = [clip for clip in clips if clip.speaker == "pinyin_syllables" and clip.text == name]
    table = {digit: found for digit, found in table.items() if found}
    grammar = [*right, "幺", "[unk]"]
    tones = {digit: phones.indices([phones.bare(name)]) for digit, name in right.items()}
    alone = [
        (_joined([clip], rng, tight=False, gap_s=0.1), digit, grammar)
        for digit, labels in tones.items()
        for clip in clips
        if clip.speaker == "pinyin_syllables" and clip.labels == labels
    ]
    _write(folder, "digits_alone", alone)
    strings = []
    for _ in range(100):
        text = "".join(rng.choice(sorted(table)) for _ in range(6))
        strings.append(
            (_joined([rng.choice(table[one]) for one in text], rng, tight=True, gap_s=0.08), text, grammar)
        )
    _write(folder, "digits_strings", strings)


def _student_sets(folder: Path, clips: list[Clip]) -> None:
    """Twelve words of students never heard: alone, among the counter's words, and in strings of four."""
    rng = random.Random(3)
    mine = [clip for clip in clips if clip.kind == "words" and clip.speaker in corpus.HELD_OUT]
    words = sorted({clip.text for clip in mine})
    merged = {"语言": "语音"}  # not merged: they sound different; homophones are merged by pinyin below
    del merged
    _write(
        folder, "words", [(_joined([clip], rng, tight=False, gap_s=0.1), clip.text, words) for clip in mine]
    )
    _write(
        folder,
        "words_unk",
        [(_joined([clip], rng, tight=False, gap_s=0.1), clip.text, [*words, "[unk]"]) for clip in mine],
    )
    speakers = sorted({clip.speaker for clip in mine})
    strings = []
    for at in range(100):
        own = [clip for clip in mine if clip.speaker == speakers[at % len(speakers)]]
        four = [rng.choice(own) for _ in range(4)]
        strings.append((_joined(four, rng, tight=False, gap_s=0.1), "".join(one.text for one in four), words))
    _write(folder, "words_strings", strings)
    menu = [*MENU, *words]
    _write(folder, "commands", [(_joined([c], rng, tight=False, gap_s=0.1), c.text, menu) for c in mine[::2]])


def _voice_sets(folder: Path, clips: list[Clip], root: Path) -> None:
    """Menus and names from syllables of the voice never heard, and sentences of held-out synthetic voices."""
    rng = random.Random(4)
    table: dict[tuple[int, ...], list[Clip]] = {}
    for clip in clips:
        if clip.speaker == "pinyin_syllables":
            table.setdefault(tuple(clip.labels), []).append(clip)

    def said(text: str) -> np.ndarray:
        picked = [rng.choice(table[tuple(phones.indices([name]))]) for name in phones.syllables(text) or []]
        return _joined(picked, rng, tight=True, gap_s=0.05)

    _write(folder, "menu_joined", [(said(text), text, [*MENU, "[unk]"]) for text in MENU * 4])
    _write(folder, "names_joined", [(said(text), text, [*NAMES, "[unk]"]) for text in NAMES * 5])
    amounts = [sentences.amount(rng) for _ in range(60)]
    _write(folder, "amounts_joined", [(said(text), text, []) for text in amounts])
    espeak, surnames = Espeak(), sentences.surnames(root)
    voices = sorted(synthesis.HELD_OUT_VOICES)
    made = []
    for at in range(120):
        text = sentences.digit_string(rng, 6, 6) if at % 3 == 0 else sentences.order(rng, surnames)
        clip = synthesis.clip(espeak, text, voices[at % len(voices)], rng)
        if clip is not None:
            digits = [*"零一二三四五六七八九幺"] if at % 3 == 0 else []
            made.append((_joined([clip], rng, tight=False, gap_s=0.1), text, digits))
    _write(folder, "espeak_digits", [one for one in made if one[2]])
    _write(folder, "espeak_orders", [one for one in made if not one[2]])
    menu = []
    for at, text in enumerate(MENU * 6):
        clip = synthesis.clip(espeak, text, voices[at % len(voices)], rng)
        if clip is not None:
            menu.append((_joined([clip], rng, tight=False, gap_s=0.1), text, [*MENU, "[unk]"]))
    _write(folder, "espeak_menu", menu)


SETS: Final = (
    "digits_alone digits_strings words words_unk words_strings commands menu_joined names_joined amounts_joined "
    "espeak_digits espeak_orders espeak_menu"
).split()


def make(folder: Path, clips: list[Clip], root: Path) -> None:
    """Writes every set as `folder`/NAME.jsonl with its audio beside it."""
    _digit_sets(folder, clips)
    _student_sets(folder, clips)
    _voice_sets(folder, clips, root)


def run(
    folder: Path, model: Path, root: Path, python: Path, names: Iterable[str] = SETS
) -> dict[str, dict[str, float]]:
    """`zhanggui eval asr` on the sets, as a telephone hears them."""
    found = {}
    for name in names:
        command = [python, "-m", "bot.cli", "eval", "asr", folder / f"{name}.jsonl", "--model", model]
        result = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
        found[name] = json.loads(result.stdout)
    return found
