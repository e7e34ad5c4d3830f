"""What bills and top-ups share: limits, and money held until the outside party has answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.errors import AccountNotUsable
from banking_core.accounts.models import Account
from banking_core.core import Core
from banking_core.errors import InvalidInput
from banking_core.ledger.types import EntryDraft, InternalAccount
from banking_core.orders.models import Order
from banking_core.transfers.banks import OUR_BANK_NAME

PAYING_KINDS = frozenset({"current", "credit"})
LIMIT_GROUP = "living"  # bills and top-ups share one


def text_of(body: Mapping[str, Any], field: str) -> str:
    """A text value of an order body; raises InvalidInput naming the field."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{field} is not text", field=field)
    return value


def ensure_paying_kind(account: Account) -> None:
    """Raises AccountNotUsable unless bills may be paid from this kind of account."""
    if account.kind not in PAYING_KINDS:
        raise AccountNotUsable(
            "not a current or credit account", customer_text="定期账户不能直接缴费，请换一个付款账户。"
        )


async def hold(
    session: AsyncSession,
    core: Core,
    order: Order,
    *,
    to: InternalAccount,
    counterparty: str,
    category: str,
    summary: str,
) -> int:
    """Moves amount (fen) and fee out of the paying account, the amount to suspense; the transaction's id."""
    account = await core.accounts.own(session, order.customer_id, order.body["from_account_id"])
    held = await core.ledger.internal(session, to)
    entries = [
        EntryDraft(account.ledger_account_id, -order.amount_fen, counterparty, category, summary),
        EntryDraft(held, order.amount_fen, counterparty, category, summary),
    ]
    if order.fee_fen:
        income = await core.ledger.internal(session, InternalAccount.FEE_INCOME)
        fee_summary = f"{summary}手续费"
        entries += [
            EntryDraft(account.ledger_account_id, -order.fee_fen, OUR_BANK_NAME, "fee", fee_summary),
            EntryDraft(income, order.fee_fen, counterparty, "fee", fee_summary),
        ]
    transaction = await core.ledger.post(
        session, key=f"order:{order.number}", kind=order.kind, memo=order.number, entries=entries
    )
    return transaction.id


async def release(
    session: AsyncSession, core: Core, order: Order, *, held: InternalAccount, to: InternalAccount
) -> None:
    """Moves the order's amount (fen) from the suspense account to what is owed to the outside party."""
    await core.ledger.post(
        session,
        key=f"settle:{order.number}",
        kind=f"{order.kind}_settled",
        memo=order.number,
        entries=(
            EntryDraft(await core.ledger.internal(session, held), -order.amount_fen),
            EntryDraft(await core.ledger.internal(session, to), order.amount_fen),
        ),
    )
