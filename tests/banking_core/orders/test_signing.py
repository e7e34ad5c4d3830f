"""What a one-time code of an order stands for."""

from __future__ import annotations

from banking_core.core import Core
from banking_core.orders.signing import code_purpose
from banking_core.storage import Database
from tests.banking_core.orders.paying import Paying


async def test_a_code_signs_every_fact_of_its_order_and_no_other(database: Database, core: Core) -> None:
    paying = await Paying.open(database, core)
    order, other = await paying.draft(), await paying.draft()
    purpose = code_purpose(order)
    assert purpose.words == f"转账（*三，掌柜银行 尾号{paying.payee.account.number[-4:]}，¥100.00）"
    assert purpose.name != code_purpose(other).name
    for change in (
        {"amount_fen": 100_01},
        {"fee_fen": 1},
        {"facts": [*order.facts, ["附言", "x"]]},
        {"body": order.body | {"payee_account_number": "1"}},
        {"customer_id": paying.payee.id},
    ):
        before = {name: getattr(order, name) for name in change}
        for name, value in change.items():
            setattr(order, name, value)
        assert code_purpose(order).signs != purpose.signs, change
        for name, value in before.items():
            setattr(order, name, value)
    assert code_purpose(order) == purpose
