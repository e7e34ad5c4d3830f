"""The sentences the index is fitted on: the entries' wordings, and what else is said to the assistant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.entries import Entry
from bot.knowledge.errors import MalformedKnowledge
from bot.knowledge.lexicon import parse_yaml, read

FAQ_INTENT = "faq"
NOT_AN_ENTRY = -1
_ANNOTATION = re.compile(r"\[([^\[\]]+)\]\([a-z_]+\)")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# Of another intent the first sentences, which are the plainest, and every tenth after them are enough: that keeps
# fitting and finding short.
_OTHERS_FIRST, _OTHERS_STEP = 8, 10
_NOTHING_STARTED = frozenset({FAQ_INTENT, "out_of_scope"})  # no topic: their sentences are about anything


@dataclass(frozen=True)
class Corpus:
    """`texts[i]` belongs to entry number `owners[i]`, or is no question an entry answers (NOT_AN_ENTRY).

    `asked[i]` is False where the text is an entry's answer, which may hold the words asked with, but is no
    question. `spare_others` are sentences of no entry kept out of the index. `background` teaches only which
    words go together, and `topics` (sentences by intent) which matter a word belongs to.
    """

    texts: tuple[str, ...]
    owners: tuple[int, ...]
    asked: tuple[bool, ...]
    spare_others: tuple[str, ...]
    background: tuple[str, ...]
    topics: Mapping[str, tuple[str, ...]]


def training_files(folder: Path) -> list[Path]:
    """The training files of the understanding service beside the knowledge base, by name."""
    return sorted(folder.parent.glob("*.yml"))


def announced_files(folder: Path) -> list[Path]:
    """Skills that are only announced, beside the knowledge base: a wish for one may well be answered from it."""
    return sorted((folder.parent / "skills").glob("*.yml"))


def gather(entries: tuple[Entry, ...], folder: Path) -> Corpus:
    """The corpus of these entries and of the training files beside `folder`; raises MalformedKnowledge."""
    texts: list[str] = []
    owners: list[int] = []
    asked: list[bool] = []
    for number, entry in enumerate(entries):
        texts.extend((*entry.wordings, _PLACEHOLDER.sub("", entry.template)))
        owners.extend([number] * (len(entry.wordings) + 1))
        asked.extend((*(True for _ in entry.wordings), False))
    said = [pair for path in training_files(folder) for pair in _examples(path)]
    answerable = {FAQ_INTENT, *(intent for path in announced_files(folder) for intent in _keys(path))}
    topics: dict[str, list[str]] = {}
    for text, intent in said:
        topics.setdefault(intent, []).append(text)
    others = [list(dict.fromkeys(topics[intent])) for intent in topics if intent not in answerable]
    inside = [text for texts in others for text in texts[:_OTHERS_FIRST] + texts[_OTHERS_FIRST::_OTHERS_STEP]]
    spare = [text for texts in others for text in texts[_OTHERS_FIRST + 1 :: _OTHERS_STEP]]
    return Corpus(
        texts=(*texts, *inside),
        owners=(*owners, *([NOT_AN_ENTRY] * len(inside))),
        asked=(*asked, *([True] * len(inside))),
        spare_others=tuple(spare),
        background=tuple(text for text, _ in said),
        topics={name: tuple(topics[name]) for name in sorted(topics.keys() - _NOTHING_STARTED)},
    )


def _keys(path: Path) -> list[str]:
    content = parse_yaml(read(path), path.name)
    return [str(key) for key in content] if isinstance(content, dict) else []


def _examples(path: Path) -> list[tuple[str, str]]:
    content = parse_yaml(read(path), path.name)
    blocks = content.get("nlu") if isinstance(content, dict) else None
    if not isinstance(blocks, list):
        return []
    found: list[tuple[str, str]] = []
    for block in blocks:
        if not isinstance(block, dict) or not isinstance(block.get("examples"), str):
            raise MalformedKnowledge(f"{path.name}: a block without examples")
        for line in block["examples"].splitlines():
            text = _ANNOTATION.sub(r"\1", line.strip().removeprefix("-").strip())
            if text and not text.startswith("#"):
                found.append((text, str(block.get("intent"))))
    return found
