"""Makes the test sets of held-out voices, and measures a model on them with the product's own `eval asr`.

Only recordings of speakers in `corpus.HELD_OUT`, of the digits' voice, and of held-out espeak voices are used.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from acoustic import corpus, phones, sentences, synthesis
from acoustic.corpus import RATE_HZ, Clip
from acoustic.mixing import _tighten

MENU: Final = (
    "查余额 转账 查明细 交电费 还信用卡 挂失 贷款 理财 转人工 取消 确认 不对 再说一遍 改密码 办卡"
).split()
SAME: Final = {"背景": "北京"}
ORDERS: Final = "给{0}转{1} 转{1}给{0} 给{0}汇{1} 我要给{0}转{1} 转账{1} {1} 给{0}转账 {0}".split()
NAMES: Final = "张三 李四 王芳 赵敏 陈伟 刘洋 周杰 吴静 孙丽 郑强 黄磊 徐娟".split()


@dataclass(frozen=True, slots=True)
class Item:
    """A test recording: what is said in it, the only phrases it may be, and words that may come in it."""

    samples: np.ndarray
    text: str
    grammar: Sequence[str] = ()
    phrases: Sequence[str] = ()


def _write(folder: Path, name: str, items: Iterable[Item]) -> None:
    lines = []
    (folder / name).mkdir(parents=True, exist_ok=True)
    for at, item in enumerate(items):
        path = folder / name / f"{at:04d}.wav"
        soundfile.write(path, item.samples, RATE_HZ, subtype="PCM_16")
        entry: dict[str, object] = {"audio": f"{name}/{path.name}", "text": item.text}
        if item.grammar:
            entry["grammar"] = list(item.grammar)
        if item.phrases:
            entry["phrases"] = list(item.phrases)
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
    right = dict(zip(sentences.DIGITS, "ling2 yi1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3".split(), strict=True))
    grammar = [*right, "幺", "[unk]"]
    mine = [clip for clip in clips if clip.speaker in corpus.HELD_OUT_DIGITS]
    alone, table = [], {}
    for digit, name in right.items():
        labels = phones.indices([phones.bare(name)])
        alone += [
            Item(_joined([clip], rng, tight=False, gap_s=0.1), digit, grammar)
            for clip in mine
            if clip.labels == labels
        ]
        table[digit] = next(clip for clip in mine if clip.text == name)
    _write(folder, "digits_alone", alone)
    strings = []
    for _ in range(100):
        text = "".join(rng.choice(sentences.DIGITS) for _ in range(6))
        strings.append(
            Item(_joined([table[one] for one in text], rng, tight=True, gap_s=0.08), text, grammar)
        )
    _write(folder, "digits_strings", strings)


def _student_sets(folder: Path, clips: list[Clip]) -> None:
    """Twelve words of students never heard: alone, among others, and in strings of four.

    背景 and 北京 sound the same without tones and count as one.
    """
    rng = random.Random(3)
    mine = [clip for clip in clips if clip.kind == "words" and clip.speaker in corpus.HELD_OUT]
    text = {clip.text: SAME.get(clip.text, clip.text) for clip in mine}
    words = sorted(set(text.values()))
    sounds = {tuple(clip.labels) for clip in mine}
    hsk = [
        clip.text
        for clip in clips
        if clip.kind == "hsk" and len(clip.text) == 2 and tuple(clip.labels) not in sounds
    ]
    many = [*words, *random.Random(9).sample(sorted(set(hsk)), 1500)]
    alone = [(_joined([clip], rng, tight=False, gap_s=0.1), text[clip.text]) for clip in mine]
    _write(folder, "words", [Item(wave, said, words) for wave, said in alone])
    _write(folder, "words_unk", [Item(wave, said, [*words, "[unk]"]) for wave, said in alone])
    _write(folder, "words_1500", [Item(wave, said, many) for wave, said in alone[::3]])
    _write(folder, "words_menu", [Item(wave, said, [*MENU, *words, "[unk]"]) for wave, said in alone[::2]])
    answers = ["确认", "取消", "[unk]"]
    _write(folder, "strays", [Item(wave, "", answers) for wave, _ in alone[::2]])
    speakers = sorted({clip.speaker for clip in mine})
    strings = []
    for at in range(100):
        own = [clip for clip in mine if clip.speaker == speakers[at % len(speakers)]]
        four = [rng.choice(own) for _ in range(4)]
        said = "".join(text[one.text] for one in four)
        strings.append(Item(_joined(four, rng, tight=False, gap_s=0.1), said, words))
    _write(folder, "words_strings", strings)


def _joined_sets(folder: Path, clips: list[Clip]) -> None:
    """Menus, names and amounts from syllables of the voice never heard."""
    rng = random.Random(4)
    table: dict[tuple[int, ...], list[Clip]] = {}
    for clip in clips:
        if clip.speaker in corpus.HELD_OUT_DIGITS:
            table.setdefault(tuple(clip.labels), []).append(clip)

    def said(text: str) -> np.ndarray:
        picked = [rng.choice(table[tuple(phones.indices([name]))]) for name in phones.syllables(text) or []]
        return _joined(picked, rng, tight=True, gap_s=0.05)

    _write(folder, "menu_joined", [Item(said(text), text, [*MENU, "[unk]"]) for text in MENU * 4])
    _write(folder, "names_joined", [Item(said(text), text, [*NAMES, "[unk]"]) for text in NAMES * 5])
    amounts = [sentences.amount(rng) for _ in range(60)]
    _write(folder, "amounts_joined", [Item(said(text), text) for text in amounts])


def _espeak_sets(folder: Path, root: Path) -> None:
    """Digits, orders to known payees and a menu by synthetic voices never heard."""
    rng = random.Random(6)
    library, voices = synthesis.espeak(), sorted(synthesis.HELD_OUT_VOICES)

    def said(text: str, at: int) -> np.ndarray:
        clip = synthesis.clip(library, text, voices[at % len(voices)], rng)
        return _joined([clip] if clip else [], rng, tight=False, gap_s=0.1)

    digits = [sentences.digit_string(rng, 6, 6) for _ in range(60)]
    _write(
        folder,
        "espeak_digits",
        [Item(said(text, at), text, [*sentences.DIGITS, "幺"]) for at, text in enumerate(digits)],
    )
    orders = []
    for at in range(100):
        text = rng.choice(ORDERS).format(rng.choice(NAMES), sentences.amount(rng))
        orders.append(Item(said(text, at), text, (), NAMES))
    _write(folder, "espeak_orders", orders)
    menu = [Item(said(text, at), text, [*MENU, "[unk]"]) for at, text in enumerate(MENU * 6)]
    _write(folder, "espeak_menu", menu)


OF_THE_DIGITS_VOICE: Final = frozenset(
    "digits_alone digits_strings menu_joined names_joined amounts_joined".split()
)
SETS: Final = (
    "digits_alone digits_strings words words_unk words_1500 words_menu words_strings strays "
    "menu_joined names_joined amounts_joined espeak_digits espeak_orders espeak_menu"
).split()


def make(folder: Path, clips: list[Clip], root: Path) -> None:
    """Writes every set as `folder`/NAME.jsonl with its audio beside it."""
    _digit_sets(folder, clips)
    _student_sets(folder, clips)
    _joined_sets(folder, clips)
    _espeak_sets(folder, root)


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
