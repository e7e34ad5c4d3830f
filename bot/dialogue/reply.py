"""What a skill answers: meaning, not looks. Channels decide how it is shown or spoken."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

CardKind = Literal[
    "balance", "statement", "spending", "readback", "receipt", "list", "branches", "ticket", "code"
]


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled value of a card, both in Chinese: Fact("金额", "¥500.00")."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A quick reply: `label` is shown, `say` is sent as if the customer had typed it."""

    label: str
    say: str


@dataclass(frozen=True, slots=True)
class Card:
    """A block of facts and, where it is a table, columns and rows of equal length.

    `asks` is the question of a read-back whose text lists the facts: who only hears may be told them in short, then
    asked. A skill that explains in its own words leaves it empty, and is heard whole.
    `code` is what a QR picture of the card holds; the channel draws it.
    """

    kind: CardKind
    title: str
    facts: tuple[Fact, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    note: str = ""
    asks: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), "every row fills every column"


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of the assistant. `text` alone must make sense when read aloud."""

    text: str
    card: Card | None = None
    choices: tuple[Choice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON object {text, card|null, choices}; `reply_from_json` reads it back."""
        return asdict(self)


def choices(*labels: str) -> tuple[Choice, ...]:
    """Quick replies that send their own label."""
    return tuple(Choice(label, label) for label in labels)


def reply_from_json(data: dict[str, Any]) -> Reply:
    """The Reply that `to_json` made `data` from."""
    card = data.get("card")
    return Reply(
        text=data["text"],
        card=None
        if card is None
        else Card(
            kind=card["kind"],
            title=card["title"],
            facts=tuple(Fact(**fact) for fact in card["facts"]),
            columns=tuple(card["columns"]),
            rows=tuple(tuple(row) for row in card["rows"]),
            note=card["note"],
            asks=card.get("asks", ""),
            code=card.get("code", ""),
        ),
        choices=tuple(Choice(**choice) for choice in data["choices"]),
    )
