"""Reads `nlu_data`: training examples by area, FAQ phrasings, dev sets. Knows nothing of Rasa's graph."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from zhanggui_nlu.errors import DataError

FAQ_INTENT = "faq"
ENTITY_LABELS = ("payee", "bank", "place")
_ANNOTATION = re.compile(r"\[([^\[\]]+)\]\(([a-z_]+)\)")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Span:
    """An annotated piece of a sentence: characters `start` up to but not including `end`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Example:
    """One training sentence. `annotated` says whether entities in it were marked by a person: FAQ
    phrasings are not, so they teach intents only."""

    text: str
    intent: str
    spans: tuple[Span, ...] = ()
    source: str = ""
    annotated: bool = True


@dataclass(frozen=True)
class DevExample:
    """One dev sentence and the intents that count as right."""

    text: str
    intents: frozenset[str]
    source: str = ""


@dataclass
class Corpus:
    """All training examples, without repeats, and what was odd about the files."""

    examples: list[Example]
    warnings: list[str] = field(default_factory=list)

    @property
    def intents(self) -> list[str]:
        """Intent names, sorted."""
        return sorted({example.intent for example in self.examples})


def parse_annotated(line: str, where: str) -> tuple[str, tuple[Span, ...]]:
    """`给[张三](payee)转账` -> plain text and spans. Raises DataError for an unknown entity."""
    plain: list[str] = []
    spans: list[Span] = []
    position = length = 0
    for match in _ANNOTATION.finditer(line):
        value, label = match.groups()
        if label not in ENTITY_LABELS:
            raise DataError(f"{where}: unknown entity '{label}' in '{line}'.")
        before = line[position : match.start()]
        plain += [before, value]
        start = length + len(before)
        length = start + len(value)
        spans.append(Span(start, length, label))
        position = match.end()
    plain.append(line[position:])
    return "".join(plain), tuple(spans)


def _load_yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is not valid YAML: {str(error).splitlines()[0]}.") from error


def _area_examples(path: Path) -> Iterator[Example]:
    """Examples of one area file; a file without an `nlu` list has none."""
    content = _load_yaml(path)
    blocks = content.get("nlu", []) if isinstance(content, dict) else []
    for block in blocks or []:
        intent, examples = block.get("intent"), block.get("examples")
        if not isinstance(intent, str) or not isinstance(examples, str):
            if "lookup" in block or "regex" in block or "synonym" in block:
                continue
            raise DataError(f"{path.name}: every block needs `intent` and `examples: |`.")
        for number, line in enumerate(examples.splitlines(), 1):
            stripped = line.strip()
            if not stripped or stripped.startswith("#"):
                continue
            if not stripped.startswith("-"):
                raise DataError(f"{path.name}: {intent} line {number} does not start with '- '.")
            text, spans = parse_annotated(stripped[1:].strip(), f"{path.name}/{intent}")
            if text:
                yield Example(text, intent, spans, path.name)


def _entries(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping with a `question` in a FAQ file, however it is nested."""
    if isinstance(node, dict):
        if "question" in node:
            yield node
        else:
            for value in node.values():
                yield from _entries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _entries(value)


def _faq_examples(path: Path) -> Iterator[Example]:
    for entry in _entries(_load_yaml(path)):
        for text in [entry["question"], *(entry.get("phrasings") or [])]:
            if isinstance(text, str) and text.strip():
                yield Example(text.strip(), FAQ_INTENT, (), f"faq/{path.name}", annotated=False)


def area_files(data_dir: Path) -> list[Path]:
    """The hand-written training files, by name."""
    return sorted(p for p in data_dir.glob("*.y*ml") if p.suffix in {".yml", ".yaml"})


def faq_files(data_dir: Path) -> list[Path]:
    """The FAQ knowledge base, by name."""
    return sorted((data_dir / "faq").glob("*.yml"))


def dev_files(data_dir: Path) -> list[Path]:
    """The dev sets for intents, by name."""
    return sorted((data_dir / "dev").glob("*.tsv"))


def lexicon_files(data_dir: Path) -> list[Path]:
    """The entity lexicons, by name."""
    return sorted((data_dir / "lexicons").glob("*.txt"))


def read_corpus(data_dir: Path) -> Corpus:
    """Training examples of all areas and the FAQ, first writing wins. Raises DataError."""
    if not data_dir.is_dir():
        raise DataError(f"The data folder {data_dir} does not exist.")
    seen: dict[str, Example] = {}
    warnings: list[str] = []
    sources = [e for p in area_files(data_dir) for e in _area_examples(p)]
    sources += [e for p in faq_files(data_dir) for e in _faq_examples(p)]
    for example in sources:
        first = seen.setdefault(example.text, example)
        if first.intent != example.intent:
            warnings.append(
                f"'{example.text}' is {first.intent} in {first.source} and {example.intent} in "
                f"{example.source}; the first is used."
            )
    if len({e.intent for e in seen.values()}) < 2:
        raise DataError(f"{data_dir} holds fewer than two intents; there is nothing to tell apart.")
    return Corpus(list(seen.values()), warnings)


def read_dev(data_dir: Path) -> list[DevExample]:
    """Dev sentences `text<TAB>intent[|intent]`. Raises DataError for a line without a tab."""
    rows: list[DevExample] = []
    for path in dev_files(data_dir):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            text, tab, intents = line.partition("\t")
            names = frozenset(name.strip() for name in intents.split("|") if name.strip())
            if not tab or not names:
                raise DataError(f"dev/{path.name} line {number} is not `text<TAB>intent`.")
            if text.strip() != "text":
                rows.append(DevExample(text.strip(), names, path.name))
    return rows


def read_lexicon(path: Path) -> list[str]:
    """One entry per line; `#` starts a comment; blanks separate several entries on a line."""
    lines = (line.partition("#")[0] for line in path.read_text(encoding="utf-8").splitlines())
    return list(dict.fromkeys(word for line in lines for word in line.split()))


def concepts_file(data_dir: Path) -> Path:
    """The words people use for one thing, by concept."""
    return data_dir / "lexicons" / "concepts.yml"


def read_concepts(data_dir: Path) -> dict[str, dict[str, list[str]]]:
    """Words by concept by group; empty without the file. Raises DataError when it is shaped otherwise."""
    path = concepts_file(data_dir)
    if not path.exists():
        return {}
    content = _load_yaml(path)
    groups = content.values() if isinstance(content, dict) else [None]
    if not all(isinstance(g, dict) and all(isinstance(w, str) for w in g.values()) for g in groups):
        raise DataError(f"{path.name}: every group holds concepts, each a text of words between blanks.")
    return {
        str(group): {str(name): list(dict.fromkeys(words.split())) for name, words in named.items()}
        for group, named in content.items()
    }


def files_hash(paths: list[Path], root: Path) -> str:
    """SHA-256 over the names and contents of `paths`, hex."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
