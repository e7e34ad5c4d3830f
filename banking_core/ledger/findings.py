"""What a verification collects on its way: problems, and where each hash chain has come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from banking_core.ledger.hashing import GENESIS_HASH
from banking_core.ledger.types import Head, Problem

PROBLEMS_MAX = 1000  # a ledger that is wholly wrong must not fill the memory


class Findings:
    """Collects problems up to a bound."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, code: str, table: str, row: int | str, detail: str) -> None:
        """Notes a problem of one row."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(code=code, row=f"{table} {row}", detail=detail))


class Linked(Protocol):
    """A row of a hash chain."""

    id: int
    chain: int
    sequence: int
    previous_hash: str
    hash: str


class Chains:
    """Follows every chain row by row; `wanted` are ends that must be met on the way."""

    def __init__(self, findings: Findings, wanted: Sequence[Head] = ()) -> None:
        self._findings = findings
        self._ends: dict[int, tuple[int, str]] = {}
        self._wanted = {(head.chain, head.sequence): head for head in wanted if head.sequence > 0}

    def follow(self, table: str, row: Linked) -> None:
        """The next row: it must come right after the last one of its chain."""
        sequence, previous_hash = self._ends.get(row.chain, (0, GENESIS_HASH))
        if (row.sequence, row.previous_hash) != (sequence + 1, previous_hash):
            detail = "does not follow the one before it in its chain"
            self._findings.add("chain_broken", table, row.id, detail)
        self._ends[row.chain] = (row.sequence, row.hash)
        wanted = self._wanted.get((row.chain, row.sequence))
        if wanted is not None and wanted.hash == row.hash:
            del self._wanted[(row.chain, row.sequence)]

    def ends(self) -> tuple[Head, ...]:
        """Where each chain ends, by chain."""
        return tuple(Head(chain, *self._ends[chain]) for chain in sorted(self._ends))

    def missing(self) -> tuple[Head, ...]:
        """The wanted ends that were not met."""
        return tuple(self._wanted[place] for place in sorted(self._wanted))
