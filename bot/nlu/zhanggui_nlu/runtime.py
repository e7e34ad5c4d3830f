"""Loads a trained archive through Rasa's graph engine and parses with it. Imports nothing heavy."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
# One sentence is a small product: a second BLAS thread makes one in twenty wait several times as long for it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from zhanggui_nlu.spacy_pipeline import without_tensorflow

without_tensorflow()

from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage

from zhanggui_nlu.components.converter import IncomingText
from zhanggui_nlu.errors import ModelError


class Understanding:
    """A loaded model. Not for use by several threads at once."""

    def __init__(self, archive: Path) -> None:
        """Loads `archive`. Raises ModelError when it is not a model of this package."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                self._metadata, self._runner = load_predict_graph_runner(
                    Path(folder), archive, LocalModelStorage, DaskGraphRunner
                )
            except Exception as error:  # Rasa raises many kinds for a foreign or broken archive
                raise ModelError(f"The model {archive} cannot be loaded: {error}") from error
        self._target = self._metadata.nlu_target
        gc.collect()
        gc.freeze()  # the model stays: looking through it for garbage held a sentence up for 70 ms

    def parse(self, text: str, message_id: str | None = None) -> dict[str, Any]:
        """Rasa's parse result: text, intent, intent_ranking, entities."""
        message = IncomingText(text, message_id)
        inputs = {PLACEHOLDER_MESSAGE: [message], PLACEHOLDER_TRACKER: None}
        parsed = self._runner.run(inputs=inputs, targets=[self._target])[self._target][0]
        result = {"text": text, "intent": {"name": None, "confidence": 0.0}, "entities": []}
        result.update(parsed.as_dict(only_output_properties=True))
        return result
