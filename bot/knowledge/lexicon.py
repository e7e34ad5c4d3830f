"""The synonym table: spellings to mend, fillers to drop, words that mean the same term."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.dialogue.yaml_loader import LOADER
from bot.knowledge.errors import MalformedKnowledge

OTHER_BANK = "interbank"  # the object that names of other banks stand for
_CENTRAL_BANKS = frozenset({"人民银行", "中国人民银行", "央行"})
_BANK_ENDINGS = ("银行", "行", "信用社", "农信社", "合作社")


@dataclass(frozen=True)
class Lexicon:
    """What the table holds. `terms` maps a word to the terms it stands for, objects before aspects."""

    spellings: Mapping[str, str]
    fillers: tuple[str, ...]
    terms: Mapping[str, tuple[str, ...]]
    aspects: frozenset[str]
    name_ends: Mapping[str, str]  # a word before which a name nobody knows stands for the term
    nameless: frozenset[str]  # characters that no such name has just there
    banks: tuple[str, ...]
    digest: str

    @classmethod
    def load(cls, synonyms: Path, banks: Path | None = None) -> Lexicon:
        """Reads the table and, where given, the list of banks; raises MalformedKnowledge."""
        raw = read(synonyms)
        content = parse_yaml(raw, synonyms.name)
        if not isinstance(content, dict):
            raise MalformedKnowledge(f"{synonyms.name} is not a mapping of sections")
        objects = _words(content, "objects", synonyms.name)
        aspects = _words(content, "aspects", synonyms.name)
        bank_list = read(banks) if banks is not None and banks.exists() else ""
        terms: dict[str, tuple[str, ...]] = {}
        for term, words in (*objects.items(), *aspects.items()):
            for word in words:
                terms[word] = (*terms.get(word, ()), *(() if term in terms.get(word, ()) else (term,)))
        names = tuple(_bank_names(bank_list))
        for name in names:
            terms.setdefault(name, (OTHER_BANK,))
        return cls(
            spellings=_spellings(content, synonyms.name),
            fillers=tuple(sorted(set(str(content.get("fillers") or "").split()), key=lambda w: (-len(w), w))),
            terms=terms,
            aspects=frozenset(aspects),
            name_ends={
                end: term for term, ends in _rows(content, "names", synonyms.name).items() for end in ends
            },
            nameless=frozenset("".join(str(content.get("nameless") or "").split())),
            banks=names,
            digest=hashlib.sha256(f"{raw}\0{bank_list}".encode()).hexdigest(),
        )


def read(path: Path) -> str:
    """The text of a file; raises MalformedKnowledge when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedKnowledge(f"cannot read {path.name}: {type(error).__name__}") from error


def parse_yaml(text: str, name: str) -> Any:
    """The content of a YAML text; raises MalformedKnowledge when it is none."""
    try:
        return yaml.load(text, Loader=LOADER)
    except (yaml.YAMLError, ValueError) as error:
        raise MalformedKnowledge(f"{name} is not valid YAML: {str(error).splitlines()[0]}") from error


def _spellings(content: Mapping[str, Any], name: str) -> dict[str, str]:
    section = content.get("spellings") or {}
    if not isinstance(section, dict) or not all(isinstance(v, str) for pair in section.items() for v in pair):
        raise MalformedKnowledge(f"{name}: spellings is not a mapping of wrong to right")
    return section


def _words(content: Mapping[str, Any], section: str, name: str) -> dict[str, list[str]]:
    if section not in content:
        raise MalformedKnowledge(f"{name} has no {section}")
    return _rows(content, section, name)


def _rows(content: Mapping[str, Any], section: str, name: str) -> dict[str, list[str]]:
    rows = content.get(section, {})
    if not isinstance(rows, dict) or not all(isinstance(part, str) for row in rows.items() for part in row):
        raise MalformedKnowledge(f"{name}: {section} is not a mapping of terms to words")
    return {term: words.split() for term, words in rows.items()}


def _bank_names(text: str) -> Iterator[str]:
    """Names that end like a bank's: the short ones (平安, 民生) are everyday words as well."""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        for name in line.split():
            if name.endswith(_BANK_ENDINGS) and name not in _CENTRAL_BANKS:
                yield name
