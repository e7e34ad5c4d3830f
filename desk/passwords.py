"""Argon2id in a thread, a few at a time, and the same work for a name that does not exist."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PARALLEL_MAX = 2  # each takes 64 MiB for a moment


class AgentPasswords:
    """Hashes and checks the agents' passwords."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(PARALLEL_MAX)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The argon2id hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits; None (no such agent) takes as long and is always False."""
        if self._nobody is None:
            self._nobody = await self.hash("nobody")
        async with self._slots:
            fits = await asyncio.to_thread(self._check, password_hash or self._nobody, password)
        return fits and password_hash is not None

    def _check(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
