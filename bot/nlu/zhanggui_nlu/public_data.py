"""Reads the public English sets Banking77 (`train.csv`, `test.csv`) and CLINC150 (`data_full.json`) as they
are published. They measure the pipeline; no model of the product learns from them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.shared.nlu.training_data.training_data import TrainingData

from zhanggui_nlu.data import DevExample, Example
from zhanggui_nlu.errors import DataError
from zhanggui_nlu.importer import CounterDataImporter, message_of

OUT_OF_SCOPE = "oos"


@dataclass(frozen=True)
class PublicSet:
    """Sentences to train on and to measure with; `outside` are those that belong to no intent."""

    train: tuple[Example, ...]
    test: tuple[DevExample, ...]
    outside: tuple[DevExample, ...] = ()


def _banking77_rows(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read as CSV: {error}.") from error
    if not rows or not all(row.get("text") and row.get("category") for row in rows):
        raise DataError(f"{path.name} needs a heading and rows of `text,category`.")
    return [(row["text"].strip(), row["category"]) for row in rows]


def read_banking77(folder: Path) -> PublicSet:
    """77 intents of a bank's customers. Raises DataError."""
    return _public_set(_banking77_rows(folder / "train.csv"), _banking77_rows(folder / "test.csv"))


def read_clinc150(folder: Path) -> PublicSet:
    """150 intents of ten domains; those out of scope are trained as an intent `oos`. Raises DataError."""
    try:
        parts: dict[str, Any] = json.loads((folder / "data_full.json").read_text(encoding="utf-8"))
        train = [(str(text), str(intent)) for text, intent in parts["train"] + parts["oos_train"]]
        test = [(str(text), str(intent)) for text, intent in parts["test"]]
        outside = [(str(text), str(intent)) for text, intent in parts["oos_test"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"data_full.json is not CLINC150's: {type(error).__name__} {error}.") from error
    return _public_set(train, test, outside)


def _public_set(
    train: list[tuple[str, str]], test: list[tuple[str, str]], outside: list[tuple[str, str]] | None = None
) -> PublicSet:
    if len({intent for _, intent in train}) < 2 or not test:
        raise DataError("The set needs two intents to train on and a sentence to measure with.")
    examples = tuple(Example(text, intent, annotated=False) for text, intent in train)
    labelled = [
        tuple(DevExample(text, frozenset({intent})) for text, intent in part)
        for part in (test, outside or [])
    ]
    return PublicSet(examples, *labelled)


READERS: dict[str, Callable[[Path], PublicSet]] = {"banking77": read_banking77, "clinc150": read_clinc150}


class PublicDataImporter(CounterDataImporter):
    """Hands the training part of a public set to Rasa; `name_of_set` is a key of READERS."""

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
        name_of_set: str = "banking77",
    ) -> None:
        """As CounterDataImporter."""
        super().__init__(config_file, domain_path, training_data_paths)
        self._read = READERS[name_of_set]

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The training sentences, without any entity."""
        return TrainingData([message_of(example) for example in self._read(self._data_dir).train])
