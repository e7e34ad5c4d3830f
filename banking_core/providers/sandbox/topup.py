"""Phone carriers. A number ending in 0000 is one the carrier has switched off: it refuses the credit."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked
from banking_core.ledger.hashing import digest
from banking_core.providers.protocols import ProviderResult
from banking_core.providers.sandbox.store import SandboxStore, SandboxTopup

SWITCHED_OFF_TAIL = "0000"
# Number segments by carrier, as the ministry gave them out; the longest matching prefix decides.
CARRIER_PREFIXES: dict[str, tuple[str, ...]] = {
    "中国移动": (
        *("134", "135", "136", "137", "138", "139", "147", "148", "150", "151", "152", "157", "158", "159"),
        *("165", "172", "178", "182", "183", "184", "187", "188", "195", "197", "198"),
    ),
    "中国联通": (
        *("130", "131", "132", "140", "145", "146", "155", "156", "166", "167", "171", "175", "176"),
        *("185", "186", "196"),
    ),
    "中国电信": (
        *("133", "1349", "149", "153", "162", "173", "174", "177", "180", "181", "189", "190", "191"),
        *("193", "199"),
    ),
    "中国广电": ("192",),
}
_BY_PREFIX = {prefix: carrier for carrier, prefixes in CARRIER_PREFIXES.items() for prefix in prefixes}


@checked
class TopupSandbox:
    """A TopupProvider that remembers what each number was given."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    async def carrier(self, phone: str) -> str | None:
        """The carrier's Chinese name, or None."""
        if len(phone) != 11 or not (phone.isascii() and phone.isdigit()):
            return None
        return _BY_PREFIX.get(phone[:4]) or _BY_PREFIX.get(phone[:3])

    async def topup(self, *, key: str, phone: str, amount_fen: int) -> ProviderResult:
        """Credits the number, unless it has no carrier or is switched off."""
        carrier = await self.carrier(phone)

        async def credit(session: AsyncSession) -> ProviderResult:
            if carrier is None:
                return _refused("number_unknown", "没有运营商使用这个号码")
            if phone.endswith(SWITCHED_OFF_TAIL):
                return _refused("number_switched_off", "运营商答复这个号码已停机，无法充值")
            session.add(SandboxTopup(phone=phone, amount_fen=amount_fen, at=self._store.clock.now()))
            return ProviderResult(ok=True, reference=f"CZ{digest([key])[:12].upper()}")

        return await self._store.once("topup", key, {"phone": phone, "amount_fen": amount_fen}, credit)

    async def credited_fen(self, phone: str) -> int:
        """All that a number was given, in fen."""
        statement = select(func.sum(SandboxTopup.amount_fen)).where(SandboxTopup.phone == phone)
        async with self._store.snapshot() as session:
            return int(await session.scalar(statement) or 0)


def _refused(code: str, text: str) -> ProviderResult:
    return ProviderResult(ok=False, failure_code=code, failure_text=text)
