"""Rasa graph component that owns the spaCy pipeline: trains it, keeps it in the model, finds entities."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import ENTITIES, TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language

from zhanggui_nlu.crf import CrfSettings, train_crf
from zhanggui_nlu.data import Example, Span
from zhanggui_nlu.importer import ANNOTATED, lexicons_of
from zhanggui_nlu.lexicons import LexiconMatcher
from zhanggui_nlu.normalise import same_length
from zhanggui_nlu.spacy_pipeline import CRF_PIPE, build_pipeline, load_pipeline


def example_of(message: Message) -> Example:
    """The training sentence behind a Rasa message."""
    spans = tuple(
        Span(entity["start"], entity["end"], entity["entity"]) for entity in message.get(ENTITIES, [])
    )
    annotated = bool((message.get("metadata") or {}).get(ANNOTATED, True))
    return Example(message.get(TEXT), message.get("intent") or "", spans, annotated=annotated)


class SpacyEntities(GraphComponent):
    """Character tokens and entities from our own spaCy `zh` pipeline.

    Config: the fields of CrfSettings. Word lists arrive as the training data's lookup tables.
    """

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, nlp: Language
    ) -> None:
        """`nlp` is replaced by training."""
        self._config = config
        self._storage = storage
        self._resource = resource
        self._nlp = nlp

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """See CrfSettings."""
        return dict(vars(CrfSettings()))

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SpacyEntities:
        """An untrained pipeline."""
        return cls(config, model_storage, resource, build_pipeline({}, None))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SpacyEntities:
        """The pipeline kept in the model."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, load_pipeline(folder / "pipeline"))

    def train(self, training_data: TrainingData) -> Resource:
        """Trains the CRF on annotated sentences and keeps the whole pipeline in the model."""
        settings = CrfSettings(**{name: self._config[name] for name in vars(CrfSettings())})
        examples = [example_of(message) for message in training_data.training_examples]
        lexicons = lexicons_of(training_data)
        crf: bytes | None = None
        if any(example.spans for example in examples):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "entities.crfsuite"
                train_crf(examples, LexiconMatcher(lexicons), path, settings)
                crf = path.read_bytes()
        self._nlp = build_pipeline(lexicons, crf)
        with self._storage.write_to(self._resource) as directory:
            self._nlp.to_disk(directory / "pipeline")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets tokens and `entities`; offsets and values are those of the text as written."""
        for message in messages:
            text = message.get(TEXT) or ""
            doc = self._nlp(same_length(text))
            message.set(TEXT_TOKENS, [Token(text[t.idx : t.idx + 1], t.idx) for t in doc])
            entities = [
                {
                    "entity": ent.label_,
                    "value": text[ent.start_char : ent.end_char],
                    "start": ent.start_char,
                    "end": ent.end_char,
                    "extractor": CRF_PIPE,
                }
                for ent in doc.ents
            ]
            message.set(ENTITIES, entities, add_to_output=True)
        return messages
