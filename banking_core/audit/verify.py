"""Walking the chains: whether every record is what it was when it was written, and none is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit.chains import FIELDS, record_hash
from banking_core.audit.models import AuditChain, AuditRecord
from banking_core.checked import checked_function
from banking_core.ledger.findings import Chains, Findings
from banking_core.ledger.types import Head, Problem

BATCH_ROWS = 1000
TABLE = AuditRecord.__tablename__


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Problems in the order of the trail, the first bad row first; `heads` is where each chain ends."""

    problems: tuple[Problem, ...]
    record_count: int
    heads: tuple[Head, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


@checked_function
async def verify(session: AsyncSession, heads: Sequence[Head] = ()) -> AuditReport:
    """Checks every record; `heads` were kept elsewhere, and the trail must still contain them.

    Problem codes: hash_mismatch (a record was changed), chain_broken (one is missing, came twice or was moved),
    chain_head (the newest are missing), head_missing (a head kept elsewhere is not there).
    """
    findings, count = Findings(), 0
    chains = Chains(findings, heads)
    chain_ids = await session.scalars(select(AuditRecord.chain).distinct().order_by(AuditRecord.chain))
    for chain_id in list(chain_ids):
        last = 0
        while rows := await _rows(session, chain_id, last):
            for row in rows:
                chains.follow(TABLE, row)
                values = {field: getattr(row, field) for field in FIELDS}
                expected = record_hash(
                    values,
                    at=row.at,
                    chain=row.chain,
                    sequence=row.sequence,
                    previous_hash=row.previous_hash,
                )
                if expected != row.hash:
                    findings.add("hash_mismatch", TABLE, row.id, "was changed after it was written")
            count += len(rows)
            last = rows[-1].sequence
            session.expunge_all()
    await _check_heads(session, chains, findings)
    return AuditReport(tuple(findings.problems), count, chains.ends())


async def _rows(session: AsyncSession, chain_id: int, after: int) -> Sequence[AuditRecord]:
    statement = (
        select(AuditRecord)
        .where(AuditRecord.chain == chain_id, AuditRecord.sequence > after)
        .order_by(AuditRecord.sequence)
        .limit(BATCH_ROWS)
    )
    return (await session.scalars(statement)).all()


async def _check_heads(session: AsyncSession, chains: Chains, findings: Findings) -> None:
    ends = {head.chain: head for head in chains.ends()}
    for chain in await session.scalars(select(AuditChain).order_by(AuditChain.id)):
        end = ends.pop(chain.id, None)
        if end is None or (end.sequence, end.hash) != (chain.last_sequence, chain.last_hash):
            findings.add(
                "chain_head", AuditChain.__tablename__, chain.id, "the chain does not end where it should"
            )
    for head in ends.values():
        findings.add("chain_head", AuditChain.__tablename__, head.chain, "the chain has no head")
    for head in chains.missing():
        detail = f"record {head.sequence} with the hash kept elsewhere is not there"
        findings.add("head_missing", AuditChain.__tablename__, head.chain, detail)
