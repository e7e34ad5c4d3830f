"""The register of residents. The first name that is asked for with a number is taken for its holder's.

A number that cannot be right, or whose order digits are 000, belongs to nobody. Only fingerprints are kept: a
stand-in need not hold anybody's identity.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.customers.id_numbers import is_valid_id_number
from banking_core.ledger.hashing import digest
from banking_core.providers.protocols import ProviderResult, RealNameAnswer
from banking_core.providers.sandbox.store import SandboxResident, SandboxStore

NOBODY_ORDER = "000"


@checked
class RealNameSandbox:
    """A RealNameRegister that remembers whose number is whose."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    async def check(self, *, key: str, name: str, id_number: str) -> RealNameAnswer:
        """Compares; repeating a key gives the same answer."""
        id_number = id_number.upper()
        number, person = digest(["id", id_number]), digest(["person", name, id_number])

        async def compare(session: AsyncSession) -> ProviderResult:
            if not is_valid_id_number(id_number) or id_number[14:17] == NOBODY_ORDER:
                return ProviderResult(ok=False, failure_code="unknown")
            known = await session.get(SandboxResident, number)
            if known is None:
                session.add(SandboxResident(number=number, person=person))
            elif known.person != person:
                return ProviderResult(ok=False, failure_code="mismatch")
            return ProviderResult(ok=True, reference=key)

        result = await self._store.once("realname", key, {"person": person}, compare)
        if result.ok:
            return "match"
        return "unknown" if result.failure_code == "unknown" else "mismatch"
