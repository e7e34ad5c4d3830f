"""Answers to questions about the bank's products and rules, found by meaning and scored."""

from bot.knowledge.base import KnowledgeBase
from bot.knowledge.errors import DuplicateEntry, KnowledgeError, MalformedKnowledge, UnknownPlaceholder

__all__ = ["DuplicateEntry", "KnowledgeBase", "KnowledgeError", "MalformedKnowledge", "UnknownPlaceholder"]
