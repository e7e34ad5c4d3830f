"""Puts the product together: bank, skills, engine, hub, desk. No HTTP here; see `server`."""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import CollectorRegistry

from actions.receipts import receipt
from actions.registry import build_registry
from actions.services import Services
from banking_core.bank import Bank, build_bank
from banking_core.clock import Clock, SystemClock
from banking_core.storage import Database
from bot.conversation.challenges import Challenges
from bot.conversation.demand import most_asked
from bot.conversation.events import EventBus
from bot.conversation.handoff import Handoff
from bot.conversation.hub import Hub
from bot.conversation.metrics import TurnMetrics
from bot.conversation.settlement import Settlement
from bot.conversation.turns import TurnRunner
from bot.dialogue.announced import load_announced
from bot.dialogue.engine import DialogueEngine
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.understanding import Understander
from bot.knowledge import KnowledgeBase
from bot.settings import ROOT, Settings
from bot.understanding.client import NluClient
from desk.service import Desk

logger = logging.getLogger(__name__)
FAQ_FOLDER = ROOT / "nlu_data" / "faq"
MAINTENANCE_PERIOD_S = 10.0
LEARN_ROUNDS = 30  # rounds of upkeep between two counts of what is asked
OFTEN_ASKED_PERIOD = timedelta(days=30)
OFTEN_ASKED_MAX = 3


@dataclass(frozen=True, slots=True)
class Product:
    """Everything that runs in one app process."""

    settings: Settings
    clock: Clock
    database: Database
    bank: Bank
    registry: SkillRegistry
    engine: DialogueEngine
    hub: Hub
    handoff: Handoff
    desk: Desk
    settlement: Settlement
    metrics_registry: CollectorRegistry
    understander: Understander
    knowledge: KnowledgeBase

    async def start(self) -> None:
        """Opens the bank's own accounts and the sandboxes, and settles what a crash left open."""
        await self.bank.start(self.database)
        await self.settlement.sweep(self.hub.announce)

    async def close(self) -> None:
        """Ends what is under way and closes every connection."""
        await self.settlement.drain()
        if isinstance(self.understander, NluClient):
            await self.understander.close()
        await self.bank.close()
        await self.database.close()

    async def maintain(self) -> None:
        """One round of upkeep: settlements, expired orders, customers waiting for nobody."""
        await self.settlement.sweep(self.hub.announce)
        async with self.database.transaction() as session:
            await self.bank.orders.expire_due(session)
        await self.handoff.sweep_unattended()

    async def learn_often_asked(self) -> None:
        """What was asked most in the last weeks rises in the help list."""
        async with self.database.snapshot() as session:
            often = await most_asked(session, self.clock.now() - OFTEN_ASKED_PERIOD, OFTEN_ASKED_MAX)
        self.knowledge.note_often_asked(often)

    async def maintain_forever(self) -> None:
        """Upkeep every ten seconds; a failed round is logged and the next one tries again."""
        for number in itertools.count():
            try:
                if number % LEARN_ROUNDS == 0:
                    await self.learn_often_asked()
                await asyncio.sleep(MAINTENANCE_PERIOD_S)
                await self.maintain()
            except Exception:
                logger.exception("maintenance failed")


def build_product(
    settings: Settings,
    *,
    clock: Clock | None = None,
    understander: Understander | None = None,
    registry: SkillRegistry | None = None,
) -> Product:
    """Wires everything; call `start()` before the first customer and `close()` at the end."""
    clock = clock or SystemClock()
    database = Database(settings.database_url, vault=settings.open_vault())
    bank = build_bank(settings.bank_settings(), clock)
    assert settings.nlu_token is not None
    understander = understander or NluClient(settings.nlu_url, settings.nlu_token.get_secret_value())
    knowledge = KnowledgeBase.load(FAQ_FOLDER, bank.terms, cache_dir=settings.cache_dir)
    desk = Desk(clock)
    registry = registry or build_registry(load_announced(ROOT / "nlu_data" / "skills"))
    engine = DialogueEngine(registry, knowledge)
    challenges = Challenges(bank)
    runner = TurnRunner(engine, bank, challenges, desk, Services(bank=bank, tickets=desk))
    settlement = Settlement(database, bank, receipt)
    metrics_registry = CollectorRegistry()
    hub = Hub(
        database=database,
        bank=bank,
        runner=runner,
        understander=understander,
        settlement=settlement,
        events=EventBus(),
        metrics=TurnMetrics(metrics_registry),
    )
    handoff = Handoff(hub=hub, database=database, bank=bank, runner=runner, registry=registry, staffing=desk)
    return Product(
        settings=settings,
        clock=clock,
        database=database,
        bank=bank,
        registry=registry,
        engine=engine,
        hub=hub,
        handoff=handoff,
        desk=desk,
        settlement=settlement,
        metrics_registry=metrics_registry,
        knowledge=knowledge,
        understander=understander,
    )
