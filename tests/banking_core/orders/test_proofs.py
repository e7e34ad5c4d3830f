"""Which proofs carry an order: a code, a code and a voice, or a voice beside a log-in by code for little money."""

from __future__ import annotations

import pytest

from banking_core.core import Core
from banking_core.orders import Order, OrderNotConfirmed, StepUpRequired, Verdict
from banking_core.orders.proofs import Proof, VoiceStandsIn
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying
from tests.banking_core.people import OPENED_ON

BOUNDS = VoiceStandsIn(once_fen=200_00, day_fen=500_00)


@pytest.fixture
async def paying(database: Database, core: Core) -> Paying:
    core.orders.let_voice_stand_in(BOUNDS)
    return await Paying.open(database, core)


async def confirmed(paying: Paying, amount_fen: int = 100_00) -> Order:
    return await paying.confirm(await paying.draft(paying.body(amount_fen)))


async def prove(paying: Paying, order: Order, *proofs: Proof) -> frozenset[str]:
    async with paying.database.transaction() as session:
        noted = await paying.core.orders.prove(session, order.id, paying.payer.id, proofs)
        return await paying.core.orders.missing(session, noted)


async def done(paying: Paying, order: Order) -> Order:
    return await paying.execute(order, otp_verified=False)


async def test_proofs_are_noted_with_the_order_and_count_when_it_is_carried_out(paying: Paying) -> None:
    order = await confirmed(paying)
    assert await prove(paying, order) == {"otp"}
    assert await prove(paying, order, "otp") == frozenset()
    assert (await done(paying, order)).status == "executed"


async def test_a_voice_beside_a_log_in_by_code_is_enough_for_little(paying: Paying) -> None:
    order = await confirmed(paying, 200_00)
    assert await prove(paying, order, "voice", "possession") == frozenset()
    assert (await done(paying, order)).proofs == ["possession", "voice"]


async def test_but_not_for_more_and_not_again_and_again(paying: Paying) -> None:
    more = await confirmed(paying, 200_01)
    assert await prove(paying, more, "voice", "possession") == {"otp"}
    for _ in range(2):
        order = await confirmed(paying, 200_00)
        await prove(paying, order, "voice", "possession")
        await done(paying, order)
    third = await confirmed(paying, 200_00)
    assert await prove(paying, third, "voice", "possession") == {"otp"}
    with pytest.raises(StepUpRequired):
        await done(paying, third)


async def test_a_voice_alone_never_moves_money_whatever_the_order_asks_for(paying: Paying) -> None:
    order = await confirmed(paying)
    assert await prove(paying, order, "voice") == {"otp"}
    async with paying.database.transaction() as session:
        (await session.get_one(Order, order.id)).step_up = "none"
    assert await prove(paying, order, "voice") == {"otp"}
    with pytest.raises(StepUpRequired):
        await done(paying, order)
    assert await paying.balances_fen() == (1_000_00, 0)


async def test_what_risk_asks_for_no_voice_replaces(paying: Paying) -> None:
    class Wary:
        async def assess(self, session: object, subject: object) -> Verdict:
            return Verdict("step_up", factors=frozenset({"otp"}))

    paying.core.orders.use_risk(Wary())
    order = await confirmed(paying)
    assert await prove(paying, order, "voice", "possession") == {"otp"}
    with pytest.raises(StepUpRequired):
        await done(paying, order)


async def test_only_a_confirmed_order_is_proved(paying: Paying) -> None:
    order = await paying.draft()
    with pytest.raises(OrderNotConfirmed):
        await prove(paying, order, "otp")


async def test_who_logged_in_by_voice_needs_a_code_for_any_amount(paying: Paying) -> None:
    async def drafted(key: str, *, code_for_money: bool) -> Order:
        async with paying.database.transaction() as session:
            account = paying.payer.account
            own = await paying.core.accounts.open(
                session, customer_id=paying.payer.id, kind="current", name="另一个", opened_on=OPENED_ON
            )
            return await paying.core.orders.draft(
                session,
                customer_id=paying.payer.id,
                kind="transfer",
                body=paying.body(payee_name="张伟", payee_account_number=own.number)
                | {"from_account_id": account.id},
                idempotency_key=key,
                channel="phone",
                code_for_money=code_for_money,
            )

    assert (await drafted("a", code_for_money=False)).step_up == "none"
    assert (await drafted("b", code_for_money=True)).step_up == "otp"
