"""What can be wrong with the knowledge base; all of it shows at start, none in front of a customer.

KnowledgeError                 knowledge_invalid     root
├── MalformedKnowledge         knowledge_malformed   a file or the lexicon cannot be read or has another shape
├── DuplicateEntry             duplicate_entry       two entries share an id
└── UnknownPlaceholder         unknown_placeholder   an answer names a term nobody defined, or leaves a brace
"""

from __future__ import annotations

from typing import ClassVar


class KnowledgeError(Exception):
    """Root of what can be wrong with the knowledge base."""

    code: ClassVar[str] = "knowledge_invalid"


class MalformedKnowledge(KnowledgeError):
    """A file cannot be read, or its content is not shaped like knowledge."""

    code = "knowledge_malformed"


class DuplicateEntry(KnowledgeError):
    """Two entries share an id."""

    code = "duplicate_entry"


class UnknownPlaceholder(KnowledgeError):
    """An answer names a term nobody defined, or keeps a brace after rendering."""

    code = "unknown_placeholder"
