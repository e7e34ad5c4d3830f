"""Argon2id with the bank's parameters. Computed in a thread: it is slow on purpose."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from banking_core.checked import AnyText, checked
from banking_core.settings import BankSettings


@checked
class PasswordHashes:
    """Makes and checks hashes; a missing hash costs as much time as a wrong one."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._decoy: str | None = None

    @classmethod
    def of_settings(cls, settings: BankSettings) -> PasswordHashes:
        """With the parameters of the settings."""
        return cls(
            PasswordHasher(
                time_cost=settings.password_time_cost,
                memory_cost=settings.password_memory_kib,
                parallelism=settings.password_lanes,
            )
        )

    async def make(self, password: AnyText) -> str:
        """A fresh salted hash."""
        return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def fits(self, known: str | None, password: AnyText) -> bool:
        """Whether the password is the one; with None a decoy is checked, so that the time tells nothing."""
        if self._decoy is None:
            self._decoy = await self.make("decoy")
        try:
            fits = await asyncio.to_thread(self._hasher.verify, known or self._decoy, _bytes(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
        return fits and known is not None

    def is_outgrown(self, known: str) -> bool:
        """Whether a hash was made with less of anything than today's parameters ask for; what is no hash was."""
        try:
            made = extract_parameters(known)
        except InvalidHashError:
            return True
        wanted = self._hasher
        return (
            made.type is not wanted.type
            or made.time_cost < wanted.time_cost
            or made.memory_cost < wanted.memory_cost
            or made.parallelism < wanted.parallelism
        )


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
