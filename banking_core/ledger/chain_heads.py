"""Where a hash chain has come to, and locking it to append: the same for the books and for the audit trail."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import BigInteger, Integer, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from banking_core.inserts import insert_if_absent
from banking_core.ledger.hashing import GENESIS_HASH
from banking_core.storage import Base


class ChainHead(Base):
    """The sequence and hash of the newest record of chain `id`."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    last_hash: Mapped[str] = mapped_column(String(64))


AnyHead = TypeVar("AnyHead", bound=ChainHead)


async def lock_head(session: AsyncSession, model: type[AnyHead], chain_id: int) -> AnyHead:
    """The head of a chain, locked until the transaction ends; a chain that was never used begins."""
    statement = (
        select(model)
        .where(model.id == chain_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    head: AnyHead | None = await session.scalar(statement)
    if head is None:
        values = {"id": chain_id, "last_sequence": 0, "last_hash": GENESIS_HASH}
        await insert_if_absent(session, model, values, unique="id")
        head = (await session.scalars(statement)).one()
    return head
