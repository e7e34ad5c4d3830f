"""A customer with a password who logs in from one place, for tests of log-ins and recovery."""

from __future__ import annotations

from dataclasses import dataclass, field
from unittest.mock import patch

from banking_core.core import Core
from banking_core.identity import LoginDone, LoginNeeds, LoginResult, Origin
from banking_core.orders.models import Order
from banking_core.storage import Database
from tests.banking_core.people import Person, make_person

PHONE, PASSWORD, CODE = "13800000004", "Kx9#vLq2mT", "246810"
HERE = Origin("web", "203.0.113.7", "a" * 64, "Chrome · Windows", "visit-1")


def known_code():
    """Every code that is sent is CODE."""
    return patch("banking_core.identity.otp.random_code", return_value=CODE)


@dataclass
class Customer:
    """Somebody who logs in from one place."""

    database: Database
    core: Core
    person: Person
    origin: Origin = HERE
    calls: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, database: Database, core: Core) -> Customer:
        async with database.transaction() as session:
            person = await make_person(session, core, "张伟", PHONE, 100_000_00)
            await core.identity.passwords.set(session, person.id, PASSWORD)
        return cls(database, core, person)

    async def start(self, password: str = PASSWORD, *, trust: bool = False) -> LoginResult:
        async with self.database.transaction() as session:
            return await self.core.identity.logins.start(
                session, PHONE, password, origin=self.origin, trust_device=trust
            )

    async def give(self, needs: LoginResult, secret: str = CODE) -> LoginResult:
        assert isinstance(needs, LoginNeeds)
        async with self.database.transaction() as session:
            return await self.core.identity.logins.give(session, needs.attempt_id, secret, origin=self.origin)

    async def resend(self, needs: LoginResult) -> LoginNeeds:
        assert isinstance(needs, LoginNeeds)
        async with self.database.transaction() as session:
            return await self.core.identity.logins.resend(session, needs.attempt_id, origin=self.origin)

    async def log_in(self, *, trust: bool = False) -> LoginDone:
        """Gives whatever is asked for."""
        result = await self.start(trust=trust)
        while isinstance(result, LoginNeeds):
            result = await self.give(result, CODE if result.need == "otp" else self.id_tail)
        assert isinstance(result, LoginDone)
        return result

    @property
    def id_tail(self) -> str:
        return self.person.customer.id_number[-4:]

    async def told(self) -> list[str]:
        """The notices, the newest first."""
        async with self.database.snapshot() as session:
            return [notice.text for notice in await self.core.notices.list(session, self.person.id)]

    async def events(self) -> list[tuple[str, str]]:
        """Kind and outcome in the security log, the newest first."""
        async with self.database.snapshot() as session:
            events = await self.core.identity.log.recent(session, self.person.id, 50)
        return [(event.kind, event.outcome) for event in events]

    async def restrictions(self) -> frozenset[str]:
        async with self.database.snapshot() as session:
            return await self.core.restrictions.kinds(session, self.person.id)

    async def transfer(self, amount_fen: int, key: str = "") -> Order:
        """Drafts a transfer to another customer."""
        async with self.database.transaction() as session:
            payee = await self.core.customers.by_phone(session, "13800000014")
            if payee is None:
                payee = (await make_person(session, self.core, "张三", "13800000014")).customer
            account = await self.core.accounts.default_for(session, payee.id)
            assert account is not None
            return await self.core.orders.draft(
                session,
                customer_id=self.person.id,
                kind="transfer",
                body={
                    "from_account_id": self.person.account.id,
                    "payee_name": "张三",
                    "payee_account_number": account.number,
                    "payee_bank_code": None,
                    "amount_fen": amount_fen,
                    "purpose": "",
                },
                idempotency_key=key or f"transfer-{amount_fen}",
                channel="web",
            )

    async def pay(self, amount_fen: int, key: str = "") -> Order:
        """Carries a transfer out."""
        order = await self.transfer(amount_fen, key)
        async with self.database.transaction() as session:
            await self.core.orders.read_back(session, order.id, self.person.id)
            await self.core.orders.confirm(session, order.id, self.person.id)
            return await self.core.orders.execute(session, order.id, self.person.id, otp_verified=True)

    async def ask_for(self, session: object, *, customer_id: str, phone: str, what: str) -> None:
        """Stands for the desk: `core.identity.logins.use_callbacks(customer)`."""
        assert (customer_id, phone) == (self.person.id, PHONE)
        self.calls.append(what)
