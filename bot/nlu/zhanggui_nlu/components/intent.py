"""Rasa graph component that names the intent: a linear softmax over character n-grams."""

from __future__ import annotations

from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from zhanggui_nlu.features import Knowledge
from zhanggui_nlu.importer import concepts_of, lexicons_of
from zhanggui_nlu.intent_model import IntentModel, IntentSettings

RANKING_LENGTH_MAX = 10


class NgramIntentClassifier(GraphComponent):
    """Config: the fields of IntentSettings."""

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        """`model` is None until trained or loaded."""
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """See IntentSettings."""
        return dict(vars(IntentSettings()))

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> NgramIntentClassifier:
        """An untrained classifier."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> NgramIntentClassifier:
        """The classifier kept in the model."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, IntentModel.load(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Fits on every training sentence and keeps the model."""
        from zhanggui_nlu.intent_training import train_intents

        settings = IntentSettings(**{name: self._config[name] for name in vars(IntentSettings())})
        pairs = [(m.get(TEXT), m.get(INTENT)) for m in training_data.intent_examples]
        knowledge = Knowledge(concepts_of(training_data), lexicons_of(training_data))
        self._model = train_intents([t for t, _ in pairs], [i for _, i in pairs], settings, knowledge)
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets `intent` and `intent_ranking` (at most ten, best first)."""
        if self._model is None:
            return messages
        for message in messages:
            chances = self._model.probabilities(message.get(TEXT) or "")
            best = np.argsort(-chances, kind="stable")[:RANKING_LENGTH_MAX]
            ranking = [
                {
                    INTENT_NAME_KEY: self._model.labels[i],
                    PREDICTED_CONFIDENCE_KEY: float(chances[i]),
                }
                for i in best
            ]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages
