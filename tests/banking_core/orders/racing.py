"""A process of its own that takes part in a race for one order."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from banking_core.bank import build_bank
from banking_core.clock import ManualClock
from banking_core.errors import BankError
from banking_core.settings import BankSettings
from banking_core.storage import Database
from banking_core.vault import KeyFile, Vault


@dataclass(frozen=True)
class Start:
    """What a racer does, for whom, and where it writes how it ended; it starts when the file `gun` is there."""

    url: str
    folder: Path
    name: str
    action: str
    order_id: str
    customer_id: str
    now: datetime

    @property
    def keys(self) -> Path:
        return self.folder / "keys.json"

    @property
    def gun(self) -> Path:
        return self.folder / "gun"

    @property
    def ready(self) -> Path:
        return self.folder / f"{self.name}.ready"

    @property
    def result(self) -> Path:
        return self.folder / f"{self.name}.result"


def race(start: Start) -> None:
    """The main function of a process."""
    asyncio.run(_race(start))


async def _race(start: Start) -> None:
    settings = BankSettings(
        start.url, f"sqlite+aiosqlite:///{start.folder / 'sandbox.db'}", b"a server key used by tests only!"
    )
    bank = build_bank(settings, ManualClock(start.now))
    database = Database(start.url, vault=Vault(KeyFile(start.keys)))
    async with database.snapshot() as session:
        await bank.orders.get(session, start.order_id, start.customer_id)  # connected, everything loaded
    start.ready.touch()
    while not start.gun.exists():
        time.sleep(0.001)  # noqa: ASYNC251 - nothing else is to happen in this process
    act = {
        "confirm": bank.orders.confirm,
        "cancel": bank.orders.cancel,
        "execute": lambda *asked: bank.orders.execute(*asked, otp_verified=True),
    }[start.action]
    try:
        async with database.transaction() as session:
            order = await act(session, start.order_id, start.customer_id)
            told = f"{order.status} {order.receipt_number}"
    except BankError as error:
        told = error.code
    start.result.write_text(told, encoding="ascii")
    await bank.close()
    await database.close()
