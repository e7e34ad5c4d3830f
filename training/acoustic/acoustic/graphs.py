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
from acoustic.lexicon import UNKNOWN, Reading, lexicon

SILENCE_CHANCE: Final = 0.5
UNKNOWN_COST: Final = 3.0
DISCOUNT: Final = 0.7
_LOOKAHEAD: Final = "olabel_lookahead"


def _placed(reading: Reading) -> list[list[int]]:
    """Kaldi's phones of one word by syllable: alone, or at its beginning, inside and end."""
    count, size = len(kaldi.POSITIONS), sum(map(len, reading))
    places = [3] if size == 1 else [0, *([2] * (size - 2)), 1]
    at = iter(places)
    return [[2 + (number - 1) * count + next(at) for number in syllable] for syllable in reading]


def _lexicon_fst(entries: list[tuple[str, Reading]], ids: dict[str, int]) -> tuple[StdVectorFst, int]:
    """Phones to words, silence allowed between syllables; gives also how many disambiguation symbols it has.

    Training hears the closure of a stop as silence as often as not, hence the silence inside of words too.
    """
    gap = len(kaldi.phone_table())
    first_symbol = gap + 1
    flat = {reading: tuple(number for syllable in reading for number in syllable) for _, reading in entries}
    prefixes = {numbers[:length] for numbers in flat.values() for length in range(1, len(numbers))}
    shared = Counter(flat[reading] for _, reading in entries)
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
    for word, reading in entries:
        numbers = flat[reading]
        labels = _placed(reading)
        if shared[numbers] > 1 or numbers in prefixes:
            used[numbers] += 1
            symbols = max(symbols, used[numbers] + 1)
            labels[-1].append(first_symbol + used[numbers])
        # Arcs leave from every state in `at`, each with what is still to be paid and said there.
        at = [(loop, UNKNOWN_COST if word == UNKNOWN else 0.0, ids[word])]
        for place, syllable in enumerate(labels):
            for label in syllable[:-1]:
                to = fst.add_state()
                for state, cost, out in at:
                    fst.add_arc(state, StdArc(label, out, cost, to))
                at = [(to, 0.0, 0)]
            if place == len(labels) - 1:
                for state, cost, out in at:
                    fst.add_arc(state, StdArc(syllable[-1], out, cost + speaking, loop))
                    fst.add_arc(state, StdArc(syllable[-1], out, cost + quiet, silence))
                continue
            to, paused = fst.add_state(), fst.add_state()
            for state, cost, out in at:
                fst.add_arc(state, StdArc(syllable[-1], out, cost, to))
            fst.add_arc(to, StdArc(gap, 0, quiet, paused))
            at = [(to, speaking, 0), (paused, 0.0, 0)]
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
    lines = ["1 nonword", *(f"{number} {kinds[(number - 2) % 4]}" for number in range(2, count))]
    lines.append(f"{count} internal")
    (graph / "phones" / "word_boundary.int").write_text("\n".join(lines) + "\n")
    (graph / "HCL.fst").unlink()
    pairs.unlink()
    return {"words": len(words), "readings": len(entries), "phones": count}
