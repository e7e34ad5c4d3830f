"""Reading the entries of the knowledge base and filling their answers with the bank's terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.knowledge.errors import DuplicateEntry, MalformedKnowledge, UnknownPlaceholder
from bot.knowledge.lexicon import parse_yaml, read

_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_]+")
_BRACED = re.compile(r"\{([^{}]*)\}")
_KEYS = frozenset({"id", "question", "phrasings", "answer", "skill", "conditions"})


class Renders(Protocol):
    """What the knowledge base needs of the bank's terms (`banking_core.configuration.Terms`)."""

    def __contains__(self, key: str) -> bool: ...

    def render(self, template: str) -> str:
        """The template with every `{area.key}` filled."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One question with its wordings. `answer` is filled; `template` is as written in the file."""

    entry_id: str
    question: str
    phrasings: tuple[str, ...]
    answer: str
    template: str
    skill: str | None = None
    conditions: tuple[str, ...] = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """The question first, then its phrasings."""
        return (self.question, *self.phrasings)

    @property
    def area(self) -> str:
        """The business area: the id up to the first dot."""
        return self.entry_id.partition(".")[0]


def load_entries(folder: Path, terms: Renders) -> tuple[Entry, ...]:
    """All entries of a folder's `*.yml`, in file and line order.

    Raises MalformedKnowledge, DuplicateEntry or UnknownPlaceholder.
    """
    entries: dict[str, Entry] = {}
    for path in entry_files(folder):
        content = parse_yaml(read(path), path.name)
        if not isinstance(content, list):
            raise MalformedKnowledge(f"{path.name} is not a list of entries")
        for number, item in enumerate(content, 1):
            entry = _entry(item, f"{path.name} entry {number}", terms)
            if entry.entry_id in entries:
                raise DuplicateEntry(f"{path.name}: a second entry {entry.entry_id}")
            entries[entry.entry_id] = entry
    if not entries:
        raise MalformedKnowledge(f"no entries in {folder.name}")
    return tuple(entries.values())


def entry_files(folder: Path) -> list[Path]:
    """The files of the knowledge base, by name."""
    return sorted(folder.glob("*.yml"))


def _entry(item: Any, where: str, terms: Renders) -> Entry:
    if not isinstance(item, dict):
        raise MalformedKnowledge(f"{where} is not a mapping")
    unknown = sorted(str(key) for key in item.keys() - _KEYS)
    if unknown:
        raise MalformedKnowledge(f"{where} has unknown keys: {', '.join(unknown)}")
    entry_id = _text(item, "id", where)
    if not _ID.fullmatch(entry_id):
        raise MalformedKnowledge(f"{where}: id {entry_id!r} is not area.name")
    template = _text(item, "answer", where)
    return Entry(
        entry_id=entry_id,
        question=_text(item, "question", where),
        phrasings=_texts(item, "phrasings", where),
        answer=_filled(template, entry_id, terms),
        template=template,
        skill=_text(item, "skill", where) if item.get("skill") is not None else None,
        conditions=_texts(item, "conditions", where),
    )


def _text(item: Mapping[str, Any], key: str, where: str) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value.strip():
        raise MalformedKnowledge(f"{where}: {key} is missing or not text")
    return value.strip()


def _texts(item: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = item.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise MalformedKnowledge(f"{where}: {key} is not a list of texts")
    return tuple(value.strip() for value in values)


def _filled(template: str, entry_id: str, terms: Renders) -> str:
    missing = sorted(key for key in _braced(template) if key not in terms)
    if missing:
        raise UnknownPlaceholder(f"{entry_id}: no term {', '.join(missing)}")
    answer = terms.render(template)
    if "{" in answer or "}" in answer:
        raise UnknownPlaceholder(f"{entry_id}: a brace is left in the answer")
    return answer


def _braced(template: str) -> Iterable[str]:
    return set(_BRACED.findall(template))
