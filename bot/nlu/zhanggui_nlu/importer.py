"""Hands `nlu_data` to Rasa. Named in config.yml, so Rasa's own command line uses it as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.core.training_data.structures import StoryGraph
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    INTENT,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import read_model_configuration

from zhanggui_nlu.data import Example, read_concepts, read_corpus
from zhanggui_nlu.lexicons import read_lexicons

ANNOTATED = "annotated"
LEXICON, CONCEPT = "lexicon:", "concept:"


def message_of(example: Example) -> Message:
    """A Rasa training message; `metadata.annotated` tells the entity learner whether to read it."""
    data: dict[str, Any] = {TEXT: example.text, INTENT: example.intent}
    data["metadata"] = {ANNOTATED: example.annotated}
    if example.spans:
        data[ENTITIES] = [
            {
                ENTITY_ATTRIBUTE_TYPE: span.label,
                ENTITY_ATTRIBUTE_VALUE: example.text[span.start : span.end],
                ENTITY_ATTRIBUTE_START: span.start,
                ENTITY_ATTRIBUTE_END: span.end,
            }
            for span in example.spans
        ]
    return Message(data=data)


class CounterDataImporter(TrainingDataImporter):
    """Training data of the counter: area files and FAQ, understanding only (no stories, no domain)."""

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
    ) -> None:
        """`training_data_paths` is the data folder, or a list whose first element is it."""
        self.config_file = config_file
        paths = [training_data_paths] if isinstance(training_data_paths, str) else training_data_paths
        self._data_dir = Path((paths or ["nlu_data"])[0])

    def get_config(self) -> dict:
        """The graph configuration as a dictionary."""
        return read_model_configuration(self.config_file) if self.config_file else {}

    def get_config_file_for_auto_config(self) -> str | None:
        """Path of the configuration."""
        return self.config_file

    def get_domain(self) -> Domain:
        """Dialogue lives elsewhere: an empty domain."""
        return Domain.empty()

    def get_stories(self, exclusion_percentage: int | None = None) -> StoryGraph:
        """Dialogue lives elsewhere: no stories."""
        return StoryGraph([])

    def get_conversation_tests(self) -> StoryGraph:
        """Dialogue lives elsewhere: no test stories."""
        return StoryGraph([])

    def get_nlu_data(self, language: str | None = "zh") -> TrainingData:
        """Every training sentence once; word lists as lookup tables."""
        messages = [message_of(example) for example in read_corpus(self._data_dir).examples]
        return TrainingData(messages, lookup_tables=word_lists(self._data_dir))


def word_lists(data_dir: Path) -> list[dict[str, Any]]:
    """Lexicons and concepts in the shape of Rasa's lookup tables: `name` and `elements`."""
    tables = {LEXICON + name: words for name, words in read_lexicons(data_dir).items()}
    for group, named in read_concepts(data_dir).items():
        tables.update({f"{CONCEPT}{group}:{name}": words for name, words in named.items()})
    return [{"name": name, "elements": words} for name, words in tables.items() if words]


def lexicons_of(training_data: TrainingData) -> dict[str, list[str]]:
    """The entity lexicons among the lookup tables, by name."""
    return {
        table["name"][len(LEXICON) :]: list(table["elements"])
        for table in training_data.lookup_tables
        if table["name"].startswith(LEXICON)
    }


def concepts_of(training_data: TrainingData) -> dict[str, dict[str, list[str]]]:
    """The concepts among the lookup tables, by group and name."""
    groups: dict[str, dict[str, list[str]]] = {}
    for table in training_data.lookup_tables:
        if table["name"].startswith(CONCEPT):
            group, _, name = table["name"][len(CONCEPT) :].partition(":")
            groups.setdefault(group, {})[name] = list(table["elements"])
    return groups
