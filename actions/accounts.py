"""Balances and accounts, and the slots other areas use to name one of the customer's accounts."""

from __future__ import annotations

from collections.abc import Sequence

from actions.services import bank_of, customer_of, refusals
from banking_core.accounts.models import Account
from banking_core.accounts.service import AccountBalance
from banking_core.money_text import fen_to_yuan_text, mask_number
from bot.dialogue.reply import Card, Fact, Reply, choices
from bot.dialogue.skill import Accepted, Done, Manner, Skill, Turn
from bot.dialogue.slots import OwnedSlot
from bot.dialogue.state import Frame

KIND_WORDS: dict[str, tuple[str, ...]] = {
    "current": ("活期", "储蓄卡", "借记卡", "工资卡", "储蓄账户"),
    "deposit": ("定期", "定存", "存款账户"),
    "credit": ("信用卡", "贷记卡"),
}
ALL = "all"


def account_label(account: Account) -> str:
    """活期账户 尾号1234."""
    return f"{account.name} {mask_number(account.number)}"


class AccountSlot(OwnedSlot):
    """One of the customer's accounts; value is the account id."""

    kinds: tuple[str, ...] = ("current", "deposit", "credit")

    async def owned(self, turn: Turn, frame: Frame) -> Sequence[tuple[Accepted, str, tuple[str, ...]]]:
        """Accounts of the wanted kinds, by tail number and by the words for their kind."""
        if turn.customer_id is None:
            return ()
        accounts = await bank_of(turn).accounts.list_for(turn.session, turn.customer_id)
        return [
            (
                Accepted(account.id, account_label(account)),
                account.tail,
                (account.name, *KIND_WORDS[account.kind]),
            )
            for account in accounts
            if account.kind in self.kinds
        ]


class PayingAccountSlot(AccountSlot):
    """The account money leaves; the default account unless the customer names another."""

    kinds = ("current",)

    def __init__(self) -> None:
        super().__init__("from_account", "付款账户", question="从哪个账户付？")

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """The customer's default account."""
        account = await bank_of(turn).accounts.default_for(turn.session, customer_of(turn))
        return Accepted(account.id, account_label(account)) if account is not None else None


class BalanceAccountSlot(AccountSlot):
    """The account asked about; all of them unless one is named."""

    def __init__(self) -> None:
        super().__init__("account", "账户", question="查哪个账户？")

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """All accounts."""
        return Accepted(ALL, "全部账户")


class AccountBalanceSkill(Skill):
    """How much money is there."""

    intent = "account_balance"
    title = "查余额"
    manner = Manner(example="查余额")
    slots = (BalanceAccountSlot(),)

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """One line per account; credit cards show what is owed and what is left."""
        balances = await bank_of(turn).accounts.balances(turn.session, customer_of(turn))
        wanted = [b for b in balances if frame.values["account"] in (ALL, b.account.id)]
        if not wanted:
            return Done(Reply("您名下还没有账户，可以到网点开户，或者说“转人工”。"))
        spoken = "；".join(_balance_sentence(balance) for balance in wanted)
        facts = tuple(fact for balance in wanted for fact in _balance_facts(balance))
        return Done(
            Reply(
                f"{spoken}。",
                Card(kind="balance", title="账户余额", facts=facts),
                choices("查最近明细", "转账"),
            )
        )


def _balance_sentence(balance: AccountBalance) -> str:
    label = account_label(balance.account)
    if balance.account.kind == "credit":
        owed_fen = max(0, -balance.balance_fen)
        return f"{label}已用{fen_to_yuan_text(owed_fen)}，还能用{fen_to_yuan_text(balance.available_fen)}"
    return f"{label}余额{fen_to_yuan_text(balance.balance_fen)}"


def _balance_facts(balance: AccountBalance) -> list[Fact]:
    label = account_label(balance.account)
    if balance.account.kind == "credit":
        owed_fen = max(0, -balance.balance_fen)
        return [
            Fact(f"{label} 已用额度", fen_to_yuan_text(owed_fen)),
            Fact(f"{label} 可用额度", fen_to_yuan_text(balance.available_fen)),
        ]
    return [Fact(label, fen_to_yuan_text(balance.balance_fen))]


class AccountListSkill(Skill):
    """Which accounts and cards are there."""

    intent = "account_list"
    title = "我的账户"
    manner = Manner(example="我有哪些账户")

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Accounts with their cards and states, without amounts."""
        with refusals():
            accounts = await bank_of(turn).accounts.list_for(turn.session, customer_of(turn))
            cards = await bank_of(turn).cards.list_for(turn.session, customer_of(turn))
        rows = [
            (account.name, mask_number(account.number), "默认" if account.is_default else "")
            for account in accounts
        ]
        rows += [(card.name, mask_number(card.number), card.status_name) for card in cards]
        if not rows:
            return Done(Reply("您名下还没有账户，可以到网点开户，或者说“转人工”。"))
        names = "、".join(account_label(account) for account in accounts)
        card = Card(kind="list", title="我的账户和卡", columns=("名称", "号码", "状态"), rows=tuple(rows))
        return Done(
            Reply(f"您名下有{len(accounts)}个账户：{names}；{len(cards)}张卡。", card, choices("查余额"))
        )
