"""Whatever is handed to a public function of the bank: an error of the bank's own, and nothing written.

The functions are found, not listed: a new one is fuzzed, or fails here until it is exempt for a reason.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import pytest_asyncio
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.bank import build_bank
from banking_core.clock import ManualClock
from banking_core.identity.login_risk import LoginRules
from banking_core.jobs import bank_jobs
from banking_core.ledger import Batcher
from banking_core.ledger.hashing import CHAIN_COUNT
from banking_core.ledger.posting import lock_chain
from banking_core.mandates import Schedule
from banking_core.privacy.holdings import BANK_HOLDINGS
from banking_core.risk.logins import JudgedLogins
from banking_core.risk.phrases import packaged_phrases
from banking_core.scheduling import JobRunner, Scheduler
from banking_core.settings import BankSettings
from banking_core.storage import Base, Database
from banking_core.vault import FixedKeys, KeyFile
from tests import keys
from tests.banking_core.fuzz.hostile import HOSTILE, is_of_another_type, label
from tests.banking_core.fuzz.surface import Offered, public_functions
from tests.banking_core.fuzz.world import NOW, World
from tests.banking_core.people import give_card, make_person

PUBLIC = public_functions()
EXEMPT = {
    "banking_core.storage.base.UtcDateTime.": "SQLAlchemy calls it with what the column holds",
    "banking_core.privacy.logs.": "the logging library calls it",
    "banking_core.storage.append_only.": "declares a table when its module is imported",
    "banking_core.inserts.": "a tool for rows of one's own tables, given the model and its columns",
    "banking_core.clock.ManualClock.": "the clock of tests",
    "banking_core.scheduling.scheduler.Scheduler.also": "wiring at start-up, once for each name",
    "banking_core.orders.service.Orders.register": "wiring at start-up, of a port that no class check could tell",
    "banking_core.vault.columns.Sealed.": "a column's descriptor, used by mappings and by the bank's own queries",
    "banking_core.risk.judging.": "an operator's training run, over matrices it made itself",
    "banking_core.risk.train.": "an operator's training run",
    "banking_core.risk.simulation.": "the generator of training data",
    "banking_core.demo.": "makes the demo bank out of packaged files",
}
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER")


def fuzzed() -> list[str]:
    """The functions that take something and are not exempt."""
    return [
        path
        for path, offered in PUBLIC.items()
        if not any(path.startswith(prefix) for prefix in EXEMPT) and parameters(offered)
    ]


def parameters(offered: Offered) -> dict[str, inspect.Parameter]:
    """What a caller gives, without the receiver."""
    found = dict(inspect.signature(offered.function).parameters)
    if offered.owner is not None and not isinstance(
        inspect.getattr_static(offered.owner, offered.name), staticmethod
    ):
        found.pop(next(iter(found)))
    return found


@dataclass(eq=False)
class Written:
    """The statements that changed rows, in any database."""

    statements: list[str]

    def __call__(self, _connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(WRITES) and cursor.rowcount != 0:
            self.statements.append(statement)


@pytest.fixture(scope="module")
def written() -> Iterator[Written]:
    written = Written([])
    event.listen(Engine, "after_cursor_execute", written)
    yield written
    event.remove(Engine, "after_cursor_execute", written)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("fuzz")
    settings = BankSettings(
        shared_database_url,
        f"sqlite+aiosqlite:///{folder / 'sandbox.db'}",
        b"a server key used by tests only!",
        password_time_cost=1,
        password_memory_kib=8,
        password_lanes=1,
    )
    clock = ManualClock(NOW)
    database = Database(shared_database_url, vault=keys.vault())
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    bank = build_bank(settings, clock)
    await bank.start(database)
    async with database.transaction() as session:
        for chain_id in range(2 * CHAIN_COUNT):
            await lock_chain(
                session, chain_id
            )  # heads of chains are made when first needed, and are no bookings
        person = await make_person(session, bank, "王小明", "13800000001", 1_000_00)
        card = await give_card(session, bank, person)
    named = {
        "customer_id": person.id,
        "account_id": person.account.id,
        "card_id": card.id,
        "phone": person.customer.phone,
        "ledger_account_id": person.account.ledger_account_id,
    }
    key_file = KeyFile(folder / "keys.json")
    key_file.create(NOW)
    runner = JobRunner(database, clock)
    async with Batcher(database, clock) as batcher:
        world = World(bank, database, named, [person.customer, person.account, card])
        world.add(settings, batcher, key_file, key_file.load(), database.vault, FixedKeys(key_file.load()))
        world.add(
            *bank_jobs(bank, database), BANK_HOLDINGS[0], JudgedLogins(bank.risk, LoginRules(bank.terms))
        )
        world.add(runner, Scheduler(runner, []), Schedule("monthly", NOW.date(), 5), packaged_phrases())
        yield world
    await bank.close()
    await database.close()


async def call(world: World, offered: Offered, arguments: dict[str, Any]) -> None:
    """Calls it and goes through with what it gives: awaits, enters, iterates."""
    target = offered.function
    if offered.owner is not None:
        receiver = world.instance(offered.owner)
        bound = isinstance(inspect.getattr_static(offered.owner, offered.name), staticmethod | classmethod)
        assert bound or receiver is not None, f"the world has no {offered.owner.__name__} to call it on"
        target = getattr(offered.owner if bound else receiver, offered.name)
    result = target(**arguments)
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, AbstractAsyncContextManager):
        async with result:
            pass
    elif isinstance(result, AbstractContextManager):
        with result:
            pass


def may_be_called(hint: Any) -> bool:
    return any(get_origin(part) is Callable for part in (hint, *get_args(hint)))


def is_of_the_bank(error: BaseException) -> bool:
    """An error from one of the bank's trees, which callers can tell by its code."""
    return type(error).__module__.startswith("banking_core") and isinstance(getattr(error, "code", None), str)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", fuzzed())
async def test_what_cannot_be_used_is_refused_and_nothing_is_written(
    path: str, world: World, written: Written
) -> None:
    offered = PUBLIC[path]
    hints = get_type_hints(offered.function, include_extras=True)
    wrong: list[str] = []
    for name in parameters(offered):
        # What a callback does when it is called is its owner's business.
        values = iter([value for value in HOSTILE if not (callable(value) and may_be_called(hints[name]))])
        more = True
        while more:
            async with world.database.snapshot() as session:
                more, reason = await attack(world, written, session, offered, name, values)
            if reason:
                wrong.append(f"{name} = {reason}")
    assert not wrong, "\n".join([path, *wrong[:40], f"{len(wrong)} in all"])


async def attack(
    world: World, written: Written, session: AsyncSession, offered: Offered, name: str, values: Iterator[Any]
) -> tuple[bool, str | None]:
    """Hands over hostile values until one is taken or something is wrong; whether there are more, and what is wrong."""
    hints = get_type_hints(offered.function, include_extras=True)
    for value in values:
        arguments = {
            other: world.good(other, hints[other], session)
            for other, parameter in parameters(offered).items()
            if parameter.default is inspect.Parameter.empty
        }
        written.statements.clear()
        try:
            await call(world, offered, arguments | {name: value})
        except Exception as error:
            if not is_of_the_bank(error):
                return True, f"{label(value)}: {type(error).__name__}: {str(error)[:120]}"
            changed = [*written.statements, *session.new, *session.dirty, *session.deleted]
            if changed or session.info.get("before_commit"):
                return True, f"{label(value)}: written before it was refused: {changed[:1]}"
            if not session.is_active:
                return True, None  # the database itself refused: nothing can follow in this transaction
        else:
            return True, f"{label(value)}: was taken" if is_of_another_type(hints[name], value) else None
    return False, None


def test_the_fuzz_finds_what_the_bank_offers() -> None:
    assert {"Ledger.post", "Orders.draft", "Cards.own"} <= {
        ".".join(path.split(".")[-2:]) for path in fuzzed()
    }


def test_exemptions_are_of_what_there_is() -> None:
    for prefix in EXEMPT:
        assert any(path.startswith(prefix) for path in PUBLIC), prefix
