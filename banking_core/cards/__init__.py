"""Bank cards: which card stands for which account, and what a lost card may no longer do."""

from banking_core.cards.errors import CardLost, CardNotFound, CardStateConflict
from banking_core.cards.models import Card, CardKind, CardStatus
from banking_core.cards.service import Cards

__all__ = ["Card", "CardKind", "CardLost", "CardNotFound", "CardStateConflict", "CardStatus", "Cards"]
