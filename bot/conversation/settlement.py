"""Orders that an outside party carries out: settled after the turn's commit, and again after a crash."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from banking_core.bank import Bank
from banking_core.errors import BankError
from banking_core.orders.models import Order
from banking_core.storage import Database
from bot.conversation.errors import ConversationNotFound
from bot.dialogue.reply import Reply

logger = logging.getLogger(__name__)
Announce = Callable[[str, Reply, str], Awaitable[None]]
Describe = Callable[[Order], Reply]


class Settlement:
    """Runs settlements in the background and tells the customer how they ended, once."""

    def __init__(self, database: Database, bank: Bank, describe: Describe) -> None:
        self._database = database
        self._bank = bank
        self._describe = describe
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, order_id: str, announce: Announce) -> None:
        """Settles one order without keeping the turn waiting."""
        task = asyncio.create_task(self._settle(order_id, announce))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, order_id: str, announce: Announce) -> None:
        try:
            await self._bank.orders.settle(self._database, order_id)
            await self._tell(announce)
        except BankError as error:
            logger.warning("settlement postponed code=%s order=%s", error.code, order_id)
        except Exception:
            logger.exception("settlement failed order=%s", order_id)

    async def sweep(self, announce: Announce) -> int:
        """Goes on with what is due, from before a restart too; returns how many ends there were to tell."""
        await self._bank.orders.release_due(self._database)
        await self._bank.orders.settle_due(self._database)
        return await self._tell(announce)

    async def _tell(self, announce: Announce) -> int:
        """Tells every end that is due, those a crash came between too; one that fails is tried again later."""
        async with self._database.snapshot() as session:
            owed = list(await self._bank.orders.untold(session))
        for order in owed:
            is_told = await self._tell_one(order, announce)
            async with self._database.transaction() as session:
                if is_told:
                    await self._bank.orders.told(session, order.id)
                else:
                    await self._bank.orders.telling_failed(session, order.id)
        return len(owed)

    async def _tell_one(self, order: Order, announce: Announce) -> bool:
        """False when it must be tried again."""
        try:
            await announce(order.conversation_id or "", self._describe(order), f"settled:{order.id}")
        except ConversationNotFound:
            logger.warning("nobody left to tell order=%s", order.id)
        except Exception:
            logger.exception("telling failed order=%s", order.id)
            return False
        return True

    async def drain(self) -> None:
        """Waits for the settlements under way."""
        while self._tasks:
            await asyncio.gather(*tuple(self._tasks), return_exceptions=True)
