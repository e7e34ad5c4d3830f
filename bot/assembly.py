"""Puts the product together: bank, skills, engine, hub, desk. No HTTP here; see `server`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from prometheus_client import CollectorRegistry

from actions.receipts import receipt
from actions.registry import build_registry
from actions.services import Services
from banking_core.bank import Bank, build_bank
from banking_core.clock import Clock, SystemClock
from banking_core.identity.login_risk import LoginRules
from banking_core.risk.logins import JudgedLogins
from banking_core.scheduling import Job, JobRunner, Scheduler, Slot, every
from banking_core.storage import Database
from bot.channels.phone.bridge import Bridges
from bot.channels.phone.voices_at_need import VoicesAtNeed
from bot.conversation.challenges import Challenges
from bot.conversation.demand import most_asked
from bot.conversation.events import EventBus
from bot.conversation.fanout import PostgresFanout
from bot.conversation.handoff import Handoff
from bot.conversation.hub import Hub
from bot.conversation.live_calls import RENEW_S
from bot.conversation.metrics import TurnMetrics
from bot.conversation.settlement import Settlement
from bot.conversation.turns import TurnRunner
from bot.dialogue.announced import load_announced
from bot.dialogue.engine import DialogueEngine
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.understanding import Understander
from bot.knowledge import KnowledgeBase
from bot.settings import ANNOUNCED_FOLDER, ROOT, Settings
from bot.understanding.client import NluClient
from bot.upkeep import upkeep_jobs
from desk.cards import BankCards
from desk.matters import Matters
from desk.rules import DeskRules
from desk.safety import BankSafety
from desk.service import Desk

FAQ_FOLDER = ROOT / "nlu_data" / "faq"
LEARN_EVERY_S = 300
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
    upkeep: Sequence[Job]
    scheduler: Scheduler
    calls: Bridges = field(default_factory=Bridges)
    fanout: PostgresFanout | None = None

    async def start(self) -> None:
        """Opens the bank's own accounts and the sandboxes, and settles what a crash left open."""
        await self.bank.start(self.database)
        await self.settlement.sweep(self.hub.announce)
        if self.fanout is not None:
            self.fanout.start()

    async def close(self) -> None:
        """Ends what is under way and closes every connection."""
        await self.scheduler.close()
        if self.fanout is not None:
            await self.fanout.close()
        await self.settlement.drain()
        if isinstance(self.understander, NluClient):
            await self.understander.close()
        await self.bank.close()
        await self.database.close()

    async def maintain(self) -> None:
        """Every sweep, whatever the timetable; for clocks that are moved by hand. What belongs to a day or a
        month is left to the timetable."""
        await self.hub.live_calls.renew()
        for job in self.upkeep:
            if not job.each:
                await job.work(Slot(job.name, self.clock.now()))

    async def learn_often_asked(self) -> None:
        """What was asked most in the last weeks rises in the help list."""
        async with self.database.snapshot() as session:
            often = await most_asked(session, self.clock.now() - OFTEN_ASKED_PERIOD, OFTEN_ASKED_MAX)
        self.knowledge.note_often_asked(often)


def build_product(
    settings: Settings,
    *,
    clock: Clock | None = None,
    understander: Understander | None = None,
    registry: SkillRegistry | None = None,
) -> Product:
    """Wires everything; call `start()` before the first customer and `close()` at the end."""
    clock = clock or SystemClock()
    vault = settings.open_vault()
    database = Database(settings.database_url, vault=vault)
    bank = build_bank(settings.bank_settings(), clock)
    bank.orders.use_risk(bank.risk)
    if "voice" in vault.rings and (settings.phone_lines or settings.phone_web_calls):
        bank.voiceprints.use(VoicesAtNeed(settings.voiceprint_model))
    bank.identity.logins.use_risk(JudgedLogins(bank.risk, LoginRules(bank.terms)))
    assert settings.nlu_token is not None
    understander = understander or NluClient(settings.nlu_url, settings.nlu_token.get_secret_value())
    knowledge = KnowledgeBase.load(FAQ_FOLDER, bank.terms, cache_dir=settings.cache_dir)
    desk = Desk(
        clock,
        DeskRules(idle_lock_s=settings.desk_idle_lock_min * 60),
        safety=BankSafety(bank),
        cards=BankCards(bank),
        matters=Matters.of(bank.rules, bank.tariff.hours),
    )
    bank.identity.logins.use_callbacks(desk)
    bank.voiceprints.use_callbacks(desk)
    registry = registry or build_registry(load_announced(ANNOUNCED_FOLDER))
    engine = DialogueEngine(registry, knowledge)
    challenges = Challenges(bank)
    runner = TurnRunner(
        engine, bank, challenges, desk, Services(bank=bank, tickets=desk, pages_url=settings.pages_url)
    )
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
    upkeep = upkeep_jobs(database, bank, settlement, hub, handoff)
    product = Product(
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
        upkeep=upkeep,
        fanout=None if database.is_sqlite else PostgresFanout(database, hub.events),
        scheduler=Scheduler(JobRunner(database, clock), upkeep),
    )
    product.scheduler.also("calls_alive", every(RENEW_S), hub.live_calls.renew)
    product.scheduler.also("learn_often_asked", every(LEARN_EVERY_S), product.learn_often_asked)
    return product
