"""What is held about a person, described as data: how it is told to them, and what becomes of it when they go.

A table that refers to customers is described by a `Holding`, or a test fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.clock import BANK_ZONE
from banking_core.money_text import fen_to_yuan_text

Names = Mapping[str, str]


@checked
@dataclass(frozen=True)
class Holding:
    """The rows of one table that are about a customer.

    `title` and the values of `labels` (attribute to label) are Chinese; attributes without a label are not told:
    they are keys, or secrets that only a fingerprint is kept of; a table of nothing else is not told at all. `names`
    gives words for coded values. `owned` makes the condition from the customer's id. `on_erase`: 'delete' the rows,
    'keep' them (why is said in docs/privacy.md), or overwrite these attributes in this order.
    """

    title: str
    model: type[Any]
    labels: Names
    names: Mapping[str, Names] = field(default_factory=dict)
    owned: Callable[[str], ColumnElement[bool]] | None = None
    on_erase: Literal["delete", "keep"] | Mapping[str, Any] = "keep"
    order_by: str = ""

    @property
    def table(self) -> str:
        """The table described."""
        return str(self.model.__tablename__)

    async def export(self, session: AsyncSession, customer_id: str) -> list[dict[str, Any]]:
        """The rows as people read them."""
        statement = select(self.model).where(self._condition(customer_id))
        if self.order_by:
            statement = statement.order_by(getattr(self.model, self.order_by))
        rows = await session.scalars(statement)
        return [
            {label: self._readable(name, getattr(row, name)) for name, label in self.labels.items()}
            for row in rows
        ]

    async def erase(self, session: AsyncSession, customer_id: str) -> int:
        """Deletes or overwrites the rows; returns how many. The caller's session commits."""
        if self.on_erase == "keep":
            return 0
        condition = self._condition(customer_id)
        if self.on_erase == "delete":
            gone = await session.execute(
                delete(self.model).where(condition).returning(*self.model.__mapper__.primary_key)
            )
            return len(gone.all())
        rows = (await session.scalars(select(self.model).where(condition))).all()
        for row in rows:
            for name, value in self.on_erase.items():
                setattr(row, name, value)
        await session.flush()
        return len(rows)

    def _condition(self, customer_id: str) -> ColumnElement[bool]:
        if self.owned is not None:
            return self.owned(customer_id)
        condition: ColumnElement[bool] = self.model.customer_id == customer_id
        return condition

    def _readable(self, name: str, value: Any) -> Any:
        if name in self.names and isinstance(value, str):
            return self.names[name].get(value, value)
        if name.endswith("_fen") and isinstance(value, int):
            return fen_to_yuan_text(value)
        return readable(value)


def readable(value: Any) -> Any:
    """A value for a Chinese reader: bank time, 是 or 否, lists of [label, value] as one object."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return f"{value.astimezone(BANK_ZONE):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        pairs = all(isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) for item in value)
        if value and pairs:
            return {label: readable(item) for label, item in value}
        return [readable(item) for item in value]
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    return value
