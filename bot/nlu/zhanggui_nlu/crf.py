"""A conditional random field over characters that finds payees, banks and places.

A sentence is its characters; the lexicons are features, not verdicts, so 平安 in 一路平安 is not a bank and
an unknown name after 转给 is a payee. Trained and run with CRFsuite (a dependency of Rasa).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pycrfsuite

from zhanggui_nlu.data import Example, Span
from zhanggui_nlu.lexicons import LexiconMatcher
from zhanggui_nlu.normalise import same_length

OUTSIDE = "O"
# Given-name characters used to invent payees while training, so that names are learnt by place, not by heart.
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文玉梅红兰志海燕飞鹏宇浩然子涵梓轩欣怡雨桐思远佳慧晓东春生福来德"
    "全永康宝根翠花大锤铁柱婷婷雪莹俊凯瑞博嘉豪一诺沐宸可馨语嫣若曦卫东爱民素珍淑芬金凤银龙天佑世杰振兴启航"
)


@dataclass(frozen=True)
class CrfSettings:
    """L1 and L2 penalties, iterations, and how many invented names each sentence with a payee gets."""

    c1: float = 0.08
    c2: float = 0.03
    iterations_max: int = 80
    invented_names: int = 2
    seed: int = 7


def character_features(text: str, matcher: LexiconMatcher) -> list[list[str]]:
    """One list of feature strings per character of `text` (already `same_length`)."""
    flags = matcher.flags(text)
    size = len(text)
    rows: list[list[str]] = []
    for i in range(size):
        row = ["bias", f"c={text[i]}", *flags[i]]
        for offset in (-3, -2, -1, 1, 2, 3):
            j = i + offset
            inside = 0 <= j < size
            row.append(f"{offset}c={text[j]}" if inside else f"{offset}edge")
            if inside and abs(offset) < 3:
                row += [f"{offset}{flag}" for flag in flags[j]]
        row.append(f"-2-1={text[max(0, i - 2) : i]}")
        row.append(f"+1+2={text[i + 1 : i + 3]}")
        row.append(f"-10={text[max(0, i - 1) : i + 1]}")
        row.append(f"0+1={text[i : i + 2]}")
        if text[i].isascii():
            row.append("digit" if text[i].isdigit() else "ascii")
        rows.append(row)
    return rows


def tags_of(length: int, spans: Iterable[Span]) -> list[str]:
    """BIO tags of a sentence of `length` characters."""
    tags = [OUTSIDE] * length
    for span in spans:
        tags[span.start] = f"B-{span.label}"
        for i in range(span.start + 1, span.end):
            tags[i] = f"I-{span.label}"
    return tags


def spans_of(tags: Sequence[str]) -> list[Span]:
    """Spans of BIO tags; an `I-` without a beginning starts a span."""
    spans: list[Span] = []
    start, label = 0, ""
    for i, tag in enumerate([*tags, OUTSIDE]):
        if label and tag != f"I-{label}":
            spans.append(Span(start, i, label))
            label = ""
        if tag != OUTSIDE and not label:
            start, label = i, tag[2:]
    return spans


def with_invented_names(
    examples: Sequence[Example], surnames: Sequence[str], copies: int, seed: int
) -> list[Example]:
    """`examples` and, for each one with a payee, `copies` more with other personal names in its place."""
    rng = random.Random(seed)
    singles = [name for name in surnames if len(name) == 1]
    doubles = [name for name in surnames if len(name) > 1] or singles
    more: list[Example] = []
    for example in examples:
        if not any(span.label == "payee" for span in example.spans):
            continue
        for _ in range(copies):
            text, spans, shift = example.text, [], 0
            for span in example.spans:
                start, end = span.start + shift, span.end + shift
                if span.label == "payee":
                    family = rng.choice(doubles if rng.random() < 0.12 else singles)
                    name = family + "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2))))
                    text = text[:start] + name + text[end:]
                    shift += len(name) - (end - start)
                    end = start + len(name)
                spans.append(Span(start, end, span.label))
            more.append(Example(text, example.intent, tuple(spans), example.source))
    return [*examples, *more]


def train_crf(
    examples: Sequence[Example], matcher: LexiconMatcher, path: Path, settings: CrfSettings
) -> None:
    """Trains on the sentences a person annotated and writes the CRFsuite model to `path`."""
    annotated = [example for example in examples if example.annotated]
    enriched = with_invented_names(
        annotated, matcher.words("surnames"), settings.invented_names, settings.seed
    )
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": settings.c1, "c2": settings.c2, "max_iterations": settings.iterations_max})
    for example in enriched:
        trainer.append(
            character_features(same_length(example.text), matcher),
            tags_of(len(example.text), example.spans),
        )
    trainer.train(str(path))


@dataclass
class CrfTagger:
    """A trained model, ready to tag."""

    model: bytes
    matcher: LexiconMatcher
    _tagger: pycrfsuite.Tagger = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Opens the model from memory."""
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open_inmemory(self.model)

    def spans(self, text: str) -> list[Span]:
        """Entities of `text`, a sentence already `same_length`."""
        if not text:
            return []
        return spans_of(self._tagger.tag(character_features(text, self.matcher)))
