"""First node of the prediction graph: a user's message becomes a Rasa NLU message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message


@dataclass(frozen=True)
class IncomingText:
    """The part of Rasa's `UserMessage` that understanding needs, without importing Rasa's channels."""

    text: str
    message_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


class MessageConverter(GraphComponent):
    """Same work as Rasa's `NLUMessageConverter`, for `IncomingText` and `UserMessage` alike."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MessageConverter:
        """Needs nothing."""
        return cls()

    def convert(self, messages: list[Any]) -> list[Message]:
        """One NLU message per incoming message."""
        return [
            Message(
                data={TEXT: m.text or "", "message_id": m.message_id, "metadata": m.metadata},
                output_properties={TEXT},
            )
            for m in messages
        ]
