"""The `transfer` order.

Same-bank at once, interbank held in suspense until the clearing house has answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.accounts.errors import AccountNotUsable
from banking_core.accounts.models import Account
from banking_core.customers.models import Customer
from banking_core.ledger.types import EntryDraft, InternalAccount
from banking_core.money_text import amount_fact, fee_fact, mask_name, mask_number
from banking_core.orders.models import Order
from banking_core.orders.service import Orders
from banking_core.orders.types import Executed, Facts, PaidPayee, Quote, Settled, Submitted
from banking_core.providers.protocols import InterbankPayment
from banking_core.tariff.service import Arrival
from banking_core.transfers.bodies import TransferBody
from banking_core.transfers.errors import TransferInvalid
from banking_core.transfers.payee_handlers import PayeeAddHandler, PayeeDeleteHandler
from banking_core.transfers.receiving import receiving_account

if TYPE_CHECKING:
    from banking_core.core import Core

LIMIT_GROUP = "transfers"
SAME_BANK, INTERBANK = "same_bank", "interbank"  # routes, as the rules name them


def register_transfers(orders: Orders, core: Core) -> None:
    """Registers the order kinds of this area; raises UnknownTerm when a term is missing."""
    orders.register(TransferHandler(core))
    orders.register(PayeeAddHandler(core))
    orders.register(PayeeDeleteHandler(core))


class TransferHandler:
    """Moves money from a customer's current account to any account in the country."""

    kind = "transfer"

    def __init__(self, core: Core) -> None:
        self._core = core

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Checks payer and payee and prices the transfer.

        Raises TransferInvalid, PayeeMismatch, AccountNotFound, AccountNotUsable.
        """
        wish = TransferBody.read(body)
        source = await self._core.accounts.own(session, customer.id, wish.from_account_id)
        if source.kind != "current":
            raise AccountNotUsable(
                "not a current account", customer_text="只能从活期账户转账，请换一个付款账户。"
            )
        own = False
        if wish.payee.bank_code is None:
            target = await receiving_account(self._core, session, wish.payee)
            if target.id == source.id:
                raise TransferInvalid(
                    "payer and payee account are the same",
                    field="payee_account_number",
                    customer_text="付款账户和收款账户是同一个，请换一个收款账户。",
                )
            own = target.customer_id == customer.id
        fee_fen = self._core.tariff.fee_fen(
            self.kind, wish.amount_fen, level=customer.level, route=_route(wish)
        )
        return Quote(
            amount_fen=wish.amount_fen,
            fee_fen=fee_fen,
            facts=self._facts(wish, source, fee_fen, self._arrival(wish)),
            step_up="none" if own else "otp",
            body=wish.normalised() | {"payer_name": customer.name, "payer_account_number": source.number},
            source_account_id=source.id,
            limit_group=LIMIT_GROUP,
            payee=None if own else await self._payee(session, customer.id, wish),
        )

    async def _payee(self, session: AsyncSession, customer_id: str, wish: TransferBody) -> PaidPayee:
        number, bank_code = wish.payee.account_number, wish.payee.bank_code
        entry = await self._core.payees.by_account(session, customer_id, number, bank_code)
        return PaidPayee(f"{bank_code or ''}|{number}", None if entry is None else entry.created_at)

    async def execute(self, session: AsyncSession, order: Order) -> Executed | Submitted:
        """Books amount and fee in one ledger transaction; interbank money waits in suspense."""
        wish = TransferBody.read(order.body)
        core = self._core
        source = await core.accounts.own(session, order.customer_id, wish.from_account_id)
        payer = await core.customers.get(session, order.customer_id)
        same_bank = wish.payee.bank_code is None
        if same_bank:
            target = await receiving_account(core, session, wish.payee)
            target_ledger_id = target.ledger_account_id
        else:
            target_ledger_id = await core.ledger.internal(session, InternalAccount.CLEARING_SUSPENSE)
        summary = wish.purpose or ("转账" if same_bank else "跨行转账")
        entries = [
            EntryDraft(source.ledger_account_id, -wish.amount_fen, wish.payee.name, "transfer", summary),
            EntryDraft(target_ledger_id, wish.amount_fen, payer.name, "transfer", summary),
        ]
        if order.fee_fen:
            income = await core.ledger.internal(session, InternalAccount.FEE_INCOME)
            entries += [
                EntryDraft(source.ledger_account_id, -order.fee_fen, "掌柜银行", "fee", "转账手续费"),
                EntryDraft(income, order.fee_fen, payer.name, "fee", "转账手续费"),
            ]
        transaction = await core.ledger.post(
            session, key=f"order:{order.number}", kind="transfer", entries=entries, memo=order.number
        )
        await core.payees.touch(session, order.customer_id, wish.payee.account_number, wish.payee.bank_code)
        arrival = self._arrival(wish)
        receipt = self._facts(wish, source, order.fee_fen, arrival)
        if same_bank:
            return Executed(receipt, transaction.id, arrives_at=arrival.arrives_by)
        return Submitted(receipt, transaction.id, sends_at=arrival.sends_at, arrives_at=arrival.arrives_by)

    async def settle(self, order: Order) -> Settled:
        """Hands the payment to the clearing house; raises ProviderUnavailable."""
        wish = TransferBody.read(order.body)
        assert wish.payee.bank_code is not None, "only interbank transfers are submitted"
        result = await self._core.providers.clearing.submit(
            key=order.number,
            payment=InterbankPayment(
                payer_name=order.body["payer_name"],
                payer_account_number=order.body["payer_account_number"],
                payee_name=wish.payee.name,
                payee_account_number=wish.payee.account_number,
                payee_bank_code=wish.payee.bank_code,
                amount_fen=wish.amount_fen,
                purpose=wish.purpose,
            ),
        )
        if result.ok:
            return Settled(
                ok=True, reference=result.reference, receipt_facts=(("清算流水号", result.reference),)
            )
        return Settled(
            ok=False,
            failure_code=result.failure_code,
            failure_text=f"{result.failure_text}，款项已全额退回付款账户。",
        )

    async def on_settled(self, session: AsyncSession, order: Order, settled: Settled) -> None:
        """Moves delivered money from suspense to the central bank account."""
        if not settled.ok:
            return
        ledger = self._core.ledger
        suspense = await ledger.internal(session, InternalAccount.CLEARING_SUSPENSE)
        central_bank = await ledger.internal(session, InternalAccount.CENTRAL_BANK)
        await ledger.post(
            session,
            key=f"order:{order.number}:settle",
            kind="settlement",
            entries=[
                EntryDraft(suspense, -order.amount_fen, summary="跨行清算"),
                EntryDraft(central_bank, order.amount_fen, summary="跨行清算"),
            ],
            memo=order.number,
        )

    def _arrival(self, wish: TransferBody) -> Arrival:
        now = self._core.clock.now()
        return self._core.tariff.arrival(self.kind, wish.amount_fen, now, route=_route(wish))

    @staticmethod
    def _facts(wish: TransferBody, source: Account, fee_fen: int, arrival: Arrival) -> Facts:
        facts = [
            ("收款人", mask_name(wish.payee.name)),
            ("收款账户", f"{wish.payee.bank} {mask_number(wish.payee.account_number)}"),
            ("付款账户", mask_number(source.number)),
            ("金额", amount_fact(wish.amount_fen)),
            ("手续费", fee_fact(fee_fen)),
            ("到账时间", arrival.text),
        ]
        if wish.purpose:
            facts.append(("附言", wish.purpose))
        return tuple(facts)


def _route(wish: TransferBody) -> str:
    return SAME_BANK if wish.payee.bank_code is None else INTERBANK
