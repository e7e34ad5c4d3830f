"""Finding and registering customers."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.checked import checked
from banking_core.clock import Clock
from banking_core.customers.errors import CustomerInvalid, CustomerNotFound, PhoneTaken
from banking_core.customers.id_numbers import is_valid_id_number
from banking_core.customers.models import Customer
from banking_core.inserts import insert_if_absent
from banking_core.money_text import mask_name, mask_phone
from banking_core.storage import new_id
from banking_core.vault import VaultError, sealed_values

PHONE = re.compile(r"1[3-9][0-9]{9}")
NAME_LENGTH_MAX = 64
PROOFS = 3  # rows that are tried, in case one alone is damaged
LEVELS = ("standard", "gold", "vip")


@checked
class Customers:
    """The customer register. Never commits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def create(
        self,
        session: AsyncSession,
        *,
        phone: str,
        name: str,
        id_number: str,
        level: str = "standard",
        segment: str = "",
        created_at: datetime | None = None,
    ) -> Customer:
        """Registers a customer.

        Raises CustomerInvalid naming the field, PhoneTaken.
        """
        name = name.strip()
        _check(phone=phone, name=name, id_number=id_number, level=level)
        customer_id = new_id()
        values = {
            "id": customer_id,
            "phone": phone,
            "name": name,
            "id_number": id_number.upper(),
            "level": level,
            "segment": segment,
            "status": "active",
            "created_at": created_at or self._clock.now(),
        }
        stored = sealed_values(session, Customer, values)
        if not await insert_if_absent(session, Customer, stored, unique="phone_index"):
            raise PhoneTaken("phone number is registered")
        note(
            session,
            "customer.registered",
            at=self._clock.now(),
            customer_id=customer_id,
            object_kind="customer",
            object_id=customer_id,
            after={"name": mask_name(name), "phone": mask_phone(phone), "level": level},
        )
        return await self.get(session, customer_id)

    async def get(self, session: AsyncSession, customer_id: str) -> Customer:
        """The customer; raises CustomerNotFound."""
        customer = await session.get(Customer, customer_id)
        if customer is None:
            raise CustomerNotFound("no such customer")
        return customer

    async def by_phone(self, session: AsyncSession, phone: str) -> Customer | None:
        """The customer with this phone number, if any."""
        return await session.scalar(select(Customer).where(Customer.phone.equals(session, phone)))

    async def prove_readable(self, session: AsyncSession) -> None:
        """Raises the VaultError of the first customers when the keys at hand open none of them: the wrong key file."""
        error: VaultError | None = None
        for customer in await session.scalars(select(Customer).order_by(Customer.id).limit(PROOFS)):
            try:
                assert customer.name is not None
            except VaultError as unreadable:
                error = unreadable
            else:
                return
        if error is not None:
            raise error

    async def lock(self, session: AsyncSession, customer_id: str) -> Customer:
        """Locks the customer's row until the transaction ends, so that its sums are made in turn."""
        statement = (
            select(Customer)
            .where(Customer.id == customer_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        customer = await session.scalar(statement)
        if customer is None:
            raise CustomerNotFound("no such customer")
        return customer


def _check(*, phone: str, name: str, id_number: str, level: str) -> None:
    if PHONE.fullmatch(phone) is None:
        raise CustomerInvalid("phone", field="phone", customer_text="手机号应该是11位数字，请重新输入。")
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        raise CustomerInvalid("name", field="name", customer_text="姓名不能为空，也不能太长，请重新输入。")
    if not is_valid_id_number(id_number):
        raise CustomerInvalid(
            "identity number", field="id_number", customer_text="身份证号码不对，请核对18位号码后重新输入。"
        )
    if level not in LEVELS:
        raise CustomerInvalid("level", field="level")
