"""The decoding graph for run-time grammars: lexicon with transition-ids, looked ahead on its words, and a bigram.

Needs Debian's libfst-tools and libfst22-plugins-base. Must not share a process with vosk.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final

import kaldifst
from kaldifst import StdArc, StdVectorFst

from acoustic import kaldi, sentences
from acoustic.lexicon import lexicon

SILENCE_CHANCE: Final = 0.5
UNKNOWN_COST: Final = 5.0
DISCOUNT: Final = 0.7
_LOOKAHEAD: Final = "olabel_lookahead"


def _placed(numbers: tuple[int, ...]) -> list[int]:
    """Kaldi's phones of one word: alone, or at its beginning, inside and end."""
    count = len(kaldi.POSITIONS)
    places = [3] if len(numbers) == 1 else [0, *([2] * (len(numbers) - 2)), 1]
    return [2 + (number - 1) * count + place for number, place in zip(numbers, places, strict=True)]


def _lexicon_fst(entries: list[tuple[str, tuple[int, ...]]], ids: dict[str, int]) -> tuple[StdVectorFst, int]:
    """Phones to words, silence allowed between them; gives also how many disambiguation symbols it has."""
    first_symbol = len(kaldi.phone_table()) + 1
    prefixes = {numbers[:length] for _, numbers in entries for length in range(1, len(numbers))}
    shared = Counter(numbers for _, numbers in entries)
    used: Counter[tuple[int, ...]] = Counter()
    symbols = 1  # the first one follows silence
    fst = StdVectorFst()
    start, loop, silence, after = (fst.add_state() for _ in range(4))
    fst.start = start
    fst.set_final(loop, 0.0)
    quiet, speaking = -math.log(SILENCE_CHANCE), -math.log(1 - SILENCE_CHANCE)
    fst.add_arc(start, StdArc(0, 0, speaking, loop))
    fst.add_arc(start, StdArc(0, 0, quiet, silence))
    fst.add_arc(silence, StdArc(1, 0, 0.0, after))
    fst.add_arc(after, StdArc(first_symbol, 0, 0.0, loop))
    for word, numbers in entries:
        labels = _placed(numbers)
        if shared[numbers] > 1 or numbers in prefixes:
            used[numbers] += 1
            symbols = max(symbols, used[numbers] + 1)
            labels.append(first_symbol + used[numbers])
        at, cost, out = loop, UNKNOWN_COST if word == "[unk]" else 0.0, ids[word]
        for label in labels[:-1]:
            to = fst.add_state()
            fst.add_arc(at, StdArc(label, out, cost, to))
            at, cost, out = to, 0.0, 0
        fst.add_arc(at, StdArc(labels[-1], out, cost + speaking, loop))
        fst.add_arc(at, StdArc(labels[-1], out, cost + quiet, silence))
    return fst, symbols


def _expanded(fst: StdVectorFst) -> StdVectorFst:
    """Phones become transition-ids: 2 p enters phone p, 2 p - 1 stays. States are split by the phone they end."""
    count = len(kaldi.phone_table())
    made = StdVectorFst()
    states: dict[tuple[int, int], int] = {}
    queue: list[tuple[int, int]] = []

    def state(old: int, phone: int) -> int:
        if (old, phone) not in states:
            states[old, phone] = made.add_state()
            queue.append((old, phone))
        return states[old, phone]

    made.start = state(fst.start, 0)
    while queue:
        old, phone = queue.pop()
        here = states[old, phone]
        if phone:
            made.add_arc(here, StdArc(2 * phone - 1, 0, 0.0, here))
        final = fst.final(old)
        weight = float(final.value if hasattr(final, "value") else final)
        if not math.isinf(weight):
            made.set_final(here, weight)
        for arc in kaldifst.ArcIterator(fst, old):
            is_phone = 0 < arc.ilabel <= count
            label = 2 * arc.ilabel if is_phone else (arc.ilabel + count if arc.ilabel else 0)
            cost = float(arc.weight.value if hasattr(arc.weight, "value") else arc.weight)
            made.add_arc(
                here, StdArc(label, arc.olabel, cost, state(arc.nextstate, arc.ilabel if is_phone else 0))
            )
    return made


def _segmented(text: str, words: set[str]) -> list[str]:
    found, at = [], 0
    while at < len(text):
        for length in range(min(6, len(text) - at), 0, -1):
            if text[at : at + length] in words:
                found.append(text[at : at + length])
                at += length
                break
        else:
            at += 1
    return found


def _bigram(lines: list[list[str]], ids: dict[str, int], words: list[str]) -> StdVectorFst:
    """A back-off bigram with absolute discounting over `lines`; every word keeps a small chance."""
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    single: Counter[str] = Counter(words)
    for line in lines:
        single.update([*line, "</s>"])
        for left, right in zip(["<s>", *line], [*line, "</s>"], strict=True):
            pairs[left][right] += 1
    fst = StdVectorFst()
    states = {"<s>": fst.add_state(), "": fst.add_state()}
    fst.start = states["<s>"]
    everything = sum(single.values())
    for left in pairs:
        if left not in states:
            states[left] = fst.add_state()
    fst.set_final(states[""], -math.log(single["</s>"] / everything))
    for word in words:
        cost = -math.log(single[word] / everything)
        fst.add_arc(states[""], StdArc(ids[word], ids[word], cost, states.get(word, states[""])))
    for left, nexts in pairs.items():
        total = sum(nexts.values())
        kept = {right: count for right, count in nexts.items() if count > 1 or total < 4}
        spent = sum((count - DISCOUNT) / total for count in kept.values())
        for right, count in kept.items():
            cost = -math.log((count - DISCOUNT) / total)
            if right == "</s>":
                fst.set_final(states[left], cost)
            else:
                fst.add_arc(states[left], StdArc(ids[right], ids[right], cost, states.get(right, states[""])))
        fst.add_arc(states[left], StdArc(0, 0, -math.log(max(1.0 - spent, 1e-4)), states[""]))
    return fst


def _relabelled(fst: StdVectorFst, new: dict[int, int]) -> StdVectorFst:
    made = StdVectorFst()
    count = fst.num_states if isinstance(fst.num_states, int) else fst.num_states()
    for _ in range(count):
        made.add_state()
    made.start = fst.start
    for state in range(count):
        made.set_final(state, fst.final(state))
        for arc in kaldifst.ArcIterator(fst, state):
            label = new.get(arc.ilabel, arc.ilabel)
            made.add_arc(state, StdArc(label, label, arc.weight, arc.nextstate))
    kaldifst.arcsort(made, sort_type="ilabel")
    return made


def _with_plugins() -> dict[str, str]:
    """The environment in which fstconvert finds the look-ahead types of Debian's package."""
    folders = sorted({str(path.parent) for path in Path("/usr/lib").glob(f"*/fst/*/{_LOOKAHEAD}-fst.so")})
    return {**os.environ, "LD_LIBRARY_PATH": ":".join([*folders, os.environ.get("LD_LIBRARY_PATH", "")])}


def build(root: Path, folder: Path, seed: int = 1) -> dict[str, int]:
    """Writes graph/ into the model's `folder`; gives its sizes."""
    graph = folder / "graph"
    (graph / "phones").mkdir(parents=True, exist_ok=True)
    entries = lexicon(root)
    words = list(dict.fromkeys(word for word, _ in entries))
    ids = {word: at for at, word in enumerate(words, 1)}
    fst, symbols = _lexicon_fst(entries, ids)
    kaldifst.determinize_star(fst, use_log=True)
    kaldifst.minimize_encoded(fst)
    fst = _expanded(fst)
    kaldifst.arcsort(fst, sort_type="olabel")
    count = len(kaldi.phone_table())
    fst.write(str(graph / "HCL.fst"))
    pairs = graph / "relabel"
    subprocess.run(
        [
            "fstconvert",
            f"--fst_type={_LOOKAHEAD}",
            f"--save_relabel_opairs={pairs}",
            graph / "HCL.fst",
            graph / "HCLr.fst",
        ],
        check=True,
        env=_with_plugins(),
    )
    new = {int(old): int(now) for old, now in (line.split() for line in pairs.read_text().splitlines())}
    rng = random.Random(seed)
    names = sentences.surnames(root)
    lines = sentences.examples(root) + [sentences.order(rng, names) for _ in range(40000)]
    known = set(words)
    _relabelled(_bigram([_segmented(line, known) for line in lines], ids, words), new).write(
        str(graph / "Gr.fst")
    )
    table = sorted((new[number], word) for word, number in ids.items())
    text = "<eps> 0\n" + "".join(f"{word} {number}\n" for number, word in table)
    (graph / "words.txt").write_text(text, "utf-8")
    (graph / "disambig_tid.int").write_text("".join(f"{2 * count + 1 + at}\n" for at in range(symbols)))
    kinds = ("begin", "end", "internal", "singleton")
    lines = ["1 nonword", *(f"{number} {kinds[(number - 2) % 4]}" for number in range(2, count + 1))]
    (graph / "phones" / "word_boundary.int").write_text("\n".join(lines) + "\n")
    (graph / "HCL.fst").unlink()
    pairs.unlink()
    return {"words": len(words), "readings": len(entries), "phones": count}
