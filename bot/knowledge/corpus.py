"""The sentences the index is fitted on: the entries' wordings, and what else is said to the assistant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bot.knowledge.entries import Entry
from bot.knowledge.errors import MalformedKnowledge
from bot.knowledge.lexicon import parse_yaml, read

FAQ_INTENT = "faq"
NOT_AN_ENTRY = -1
_ANNOTATION = re.compile(r"\[([^\[\]]+)\]\([a-z_]+\)")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_OTHERS_STEP = 3  # every third sentence of other intents is enough, and keeps fitting short


@dataclass(frozen=True)
class Corpus:
    """`texts[i]` belongs to entry number `owners[i]`, or is no question an entry answers (NOT_AN_ENTRY).

    `spare_others` are such sentences kept out of the index; `background` teaches only which words go
    together.
    """

    texts: tuple[str, ...]
    owners: tuple[int, ...]
    spare_others: tuple[str, ...]
    background: tuple[str, ...]


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
    for number, entry in enumerate(entries):
        texts.extend(entry.wordings)
        owners.extend([number] * len(entry.wordings))
    said = [pair for path in training_files(folder) for pair in _examples(path)]
    answerable = {FAQ_INTENT, *(intent for path in announced_files(folder) for intent in _keys(path))}
    others = list(dict.fromkeys(text for text, intent in said if intent not in answerable))
    inside = others[::_OTHERS_STEP]
    background = [text for text, intent in said if intent == FAQ_INTENT]
    background += [_PLACEHOLDER.sub("", entry.template) for entry in entries]
    return Corpus(
        texts=(*texts, *inside),
        owners=(*owners, *([NOT_AN_ENTRY] * len(inside))),
        spare_others=tuple(others[1::_OTHERS_STEP]),
        background=tuple(background),
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
