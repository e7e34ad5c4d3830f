"""Transfers and the payee book."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from actions.accounts import PayingAccountSlot
from actions.orders import OrderSkill
from actions.receipts import TITLES
from actions.services import bank_of, customer_of
from banking_core.accounts.numbers import FORMATS, NUMBER_LENGTHS
from banking_core.clock import BANK_ZONE
from banking_core.money_text import fen_to_yuan_text, mask_name, mask_number
from banking_core.orders.models import Order
from banking_core.transfers.models import Payee
from bot.dialogue.errors import SlotRefused
from bot.dialogue.reading.banks import read_banks
from bot.dialogue.reading.canon import canon
from bot.dialogue.reading.money import Money
from bot.dialogue.reading.numbers import luhn_ok, read_card_numbers, read_digits, read_longest_digits
from bot.dialogue.reading.types import Reading
from bot.dialogue.reply import Card, Choice, Reply, choices
from bot.dialogue.skill import Accepted, Checked, Done, Manner, Skill, Slot, Turn, WhichOne
from bot.dialogue.slots import MoneySlot, PayeeSlot
from bot.dialogue.state import SLOT_CHOICES_MAX, Frame

OWN_BANK = "ZGB"
OWN_PREFIXES = tuple(prefix for prefix, _length in FORMATS.values())
PAYEES_SHOWN_MAX = 20
STATUS_TEXTS: dict[str, str] = {
    "drafted": "等您确认",
    "read_back": "等您确认",
    "waiting": "等待办理",
    "confirmed": "等验证码",
    "authorised": "处理中",
    "submitted": "对方银行处理中",
    "executed": "已成功",
    "failed": "未成功，已退款",
    "expired": "超时未办",
    "cancelled": "已取消",
}
_KIN = {
    "妈妈": ("妈", "老妈", "母亲", "娘", "妈咪", "阿妈"),
    "爸爸": ("爸", "老爸", "父亲", "爹", "阿爸"),
    "老婆": ("媳妇", "爱人", "太太", "妻子"),
    "老公": ("丈夫", "先生", "爱人"),
    "房东": ("房东阿姨", "房东大姐", "房东先生"),
    "儿子": (),
    "女儿": ("闺女",),
}
_FAMILIAR = re.compile(
    r"^(?:[老小阿](?P<after>[\u4e00-\u9fff])|(?P<before>[\u4e00-\u9fff])(?:总|哥|姐|叔|姨|阿姨|叔叔|老师|师傅|老板|工|医生))$"
)


def payee_label(payee: Payee) -> str:
    """*三（掌柜银行 尾号6789)."""
    return f"{mask_name(payee.name)}（{payee.bank_name} {mask_number(payee.account_number)}）"


def matches(payee: Payee, said: str) -> bool:
    """True when `said` is the name, the nickname, or another word for the same relative."""
    said = canon(said).text
    bare = re.sub(r"^(我|俺|咱|我们|咱们)(家)?", "", said) or said
    names = {canon(payee.name).text, payee.nickname} - {""}
    return said in names or bare in names or any(bare in _KIN.get(name, ()) for name in names)


def familiar_surname(said: str) -> str | None:
    """老王, 王总 -> 王; None for anything else."""
    match = _FAMILIAR.match(said)
    return (match["after"] or match["before"]) if match else None


class BookPayeeSlot(PayeeSlot):
    """Somebody in the customer's payee book; value is the payee id."""

    def __init__(self, question: str = "转给谁？说收款人的名字就行。") -> None:
        super().__init__(
            "payee", "收款人", question=question, hint="收款人要先在您的收款人本里，下面是现有的。"
        )

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """Offers the payees used last."""
        payees = await self._book(turn)
        names = tuple(Choice(p.nickname or p.name, p.nickname or p.name) for p in payees[:SLOT_CHOICES_MAX])
        return Reply(self.question, choices=names)

    async def _book(self, turn: Turn) -> Sequence[Payee]:
        if turn.customer_id is None:
            return ()
        return await bank_of(turn).payees.list(turn.session, turn.customer_id)

    async def known_names(self, turn: Turn) -> Sequence[str]:
        """Names, nicknames and the other words for them."""
        names: list[str] = []
        for payee in await self._book(turn):
            names += [payee.name, payee.nickname, *_KIN.get(payee.nickname, ())]
        return [name for name in names if len(name) > 1]

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """One match is taken; 老王 and namesakes are asked about; a stranger must be added first."""
        book = await self._book(turn)
        fits = [payee for payee in book if matches(payee, raw)]
        if len(fits) == 1:
            return _accepted(fits[0])
        surname = familiar_surname(raw)
        if not fits and surname is not None:
            fits = [payee for payee in book if payee.name.startswith(surname)]
        if fits:
            question = f"您说的“{raw}”是这位吗？" if len(fits) == 1 else f"您有几位“{raw}”，转给哪一位？"
            return WhichOne(question, tuple(_accepted(payee) for payee in fits[:SLOT_CHOICES_MAX]))
        raise SlotRefused(f"您的收款人本里没有“{raw}”。可以换一位，或者说“添加收款人”先把对方加上。")


def _accepted(payee: Payee) -> Accepted:
    return Accepted(payee.id, payee_label(payee))


class TransferAmountSlot(MoneySlot):
    """The amount; 全部 and 一半 are taken of the paying account."""

    def __init__(self) -> None:
        super().__init__(
            "amount", "金额", question="转多少钱？", hint="说一个准数就行，比如“五百”或“1200.50元”。"
        )

    async def share(self, turn: Turn, frame: Frame, raw: Money) -> Checked:
        """The whole available balance, or half of it, of the account that pays."""
        if turn.customer_id is None:
            raise SlotRefused("请告诉我具体金额，比如“五百元”。")
        accounts = bank_of(turn).accounts
        account_id = frame.values.get("from_account")
        account = (
            await accounts.own(turn.session, turn.customer_id, account_id)
            if account_id
            else await accounts.default_for(turn.session, turn.customer_id)
        )
        if account is None:
            raise SlotRefused("您还没有可以付款的账户。")
        available_fen = (await accounts.balance(turn.session, account)).available_fen
        amount_fen = available_fen if raw.whole else available_fen // 2
        if amount_fen <= 0:
            raise SlotRefused("这个账户里没有可以转的钱，请换一个账户或金额。")
        return Accepted(amount_fen, fen_to_yuan_text(amount_fen))


class TransferMakeSkill(OrderSkill):
    """给张三转五百."""

    intent = "transfer_make"
    title = "转账"
    kind = "transfer"
    manner = Manner(example="给张三转500元", moves_money=True)
    slots = (BookPayeeSlot(), TransferAmountSlot(), PayingAccountSlot())
    ask_again = {"insufficient_funds": "amount", "limit_exceeded": "amount", "payee_not_found": "payee"}

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Name and account number are the payee book's, not the sentence's."""
        payee = await bank_of(turn).payees.get(turn.session, customer_of(turn), frame.values["payee"])
        return {
            "from_account_id": frame.values["from_account"],
            "payee_name": payee.name,
            "payee_account_number": payee.account_number,
            "payee_bank_code": payee.bank_code,
            "amount_fen": frame.values["amount"],
            "purpose": "转账",
        }


class NewPayeeNameSlot(PayeeSlot):
    """The account holder's full name."""

    def __init__(self) -> None:
        super().__init__("name", "姓名", question="收款人的姓名是什么？要和对方开户的名字一样。")

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Nicknames are no account names."""
        if len(raw) < 2 or familiar_surname(raw) or raw.startswith(("我", "俺")):
            raise SlotRefused("请说对方开户用的全名，比如“王小明”。")
        return Accepted(raw, mask_name(raw))


class AccountNumberSlot(Slot[str]):
    """A card or account number of 12 to 19 digits."""

    def __init__(self) -> None:
        super().__init__(
            "account_number", "卡号", question="对方的卡号是多少？", hint="卡号是12到19位数字，可以分几段说。"
        )

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """Written or spoken; when asked, digits of a wrong length are reported too."""
        found = [Reading(r.value.digits, r.start, r.end, r.text) for r in read_card_numbers(turn.text)]
        digits = read_digits(turn.text)
        if (
            len(digits) not in NUMBER_LENGTHS
        ):  # said in parts it is only believed where a check digit proves it
            digits = read_longest_digits(turn.text)
        if not found and asked and len(digits) >= 6:
            return [Reading(digits, 0, len(turn.text), turn.text)]
        return found

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Length, and the check digit for bank cards."""
        if not 12 <= len(raw) <= 19:
            raise SlotRefused("卡号的位数不对，应该是12到19位数字，请再核对一下。")
        if len(raw) in NUMBER_LENGTHS and not luhn_ok(raw):
            raise SlotRefused("这个卡号好像有一位不对，请照着卡面再念一次。")
        return Accepted(raw, mask_number(raw))


class BankSlot(Slot[tuple[str, str]]):
    """The bank that keeps the payee's account; ours is recognised by the card number."""

    def __init__(self) -> None:
        super().__init__(
            "bank",
            "开户银行",
            question="对方是哪家银行的卡？",
            quick=("掌柜银行", "工商银行", "建设银行", "招商银行"),
        )

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[tuple[str, str]]]:
        """Full names, short names and nicknames."""
        return [Reading((r.value.code, r.value.name), r.start, r.end, r.text) for r in read_banks(turn.text)]

    async def check(self, turn: Turn, frame: Frame, raw: tuple[str, str]) -> Checked:
        """Any bank we know."""
        return Accepted(raw[0], raw[1])

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """A number with our own prefix is ours."""
        if str(frame.values.get("account_number", "")).startswith(OWN_PREFIXES):
            return Accepted(OWN_BANK, "掌柜银行")
        return None


class PayeeAddSkill(OrderSkill):
    """添加收款人."""

    intent = "payee_add"
    title = "添加收款人"
    kind = "payee_add"
    manner = Manner(example="添加收款人")
    slots = (NewPayeeNameSlot(), AccountNumberSlot(), BankSlot())
    ask_again = {"payee_account_not_found": "account_number", "payee_mismatch": "name"}

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Our own bank is written as no bank code."""
        code = frame.values["bank"]
        return {
            "name": frame.values["name"],
            "account_number": frame.values["account_number"],
            "bank_code": None if code == OWN_BANK else code,
        }


class PayeeListSkill(Skill):
    """我的收款人有哪些."""

    intent = "payee_list"
    title = "收款人列表"
    manner = Manner(example="看看我的收款人")

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Names, banks and tails; the customer's own book, so nicknames are shown."""
        payees = await bank_of(turn).payees.list(turn.session, customer_of(turn))
        if not payees:
            return Done(Reply("您的收款人本还是空的，说“添加收款人”就能加。", choices=choices("添加收款人")))
        rows = tuple(
            (
                f"{p.name}{f'（{p.nickname}）' if p.nickname else ''}",
                p.bank_name,
                mask_number(p.account_number),
            )
            for p in payees[:PAYEES_SHOWN_MAX]
        )
        names = "、".join(row[0] for row in rows)
        card = Card(kind="list", title="我的收款人", columns=("姓名", "银行", "账号"), rows=rows)
        return Done(Reply(f"您有{len(payees)}位收款人：{names}。", card, choices("转账", "添加收款人")))


class PayeeDeleteSkill(OrderSkill):
    """删除收款人."""

    intent = "payee_delete"
    title = "删除收款人"
    kind = "payee_delete"
    manner = Manner(example="删除收款人李四")
    slots = (BookPayeeSlot("要删除哪位收款人？"),)

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """The payee's id."""
        return {"payee_id": frame.values["payee"]}


class TransferStatusSkill(Skill):
    """刚才那笔到了吗."""

    intent = "transfer_status"
    title = "转账状态"
    manner = Manner(example="刚才那笔转账到了吗")

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """The latest orders that move money, newest first."""
        orders = await bank_of(turn).orders.latest(
            turn.session,
            customer_of(turn),
            kinds=("transfer", "bill_pay", "topup"),
            statuses=("waiting", "authorised", "submitted", "executed", "failed"),
            limit=5,
        )
        if not orders:
            return Done(
                Reply(
                    "最近没有通过我办理的转账或缴费。想看账户流水，可以说“查明细”。",
                    choices=choices("查明细"),
                )
            )
        newest = orders[0]
        said = STATUS_TEXTS[newest.status]
        payee = dict(newest.facts).get("收款人")
        to = f"给{payee}的" if payee else "的"
        text = f"最近一笔是{_when(newest)}{to}{TITLES[newest.kind]}{fen_to_yuan_text(newest.amount_fen)}，{said}。"
        rows = tuple(
            (_when(o), TITLES[o.kind], fen_to_yuan_text(o.amount_fen), STATUS_TEXTS[o.status], o.number)
            for o in orders
        )
        columns = ("时间", "业务", "金额", "状态", "业务编号")
        return Done(Reply(text, Card(kind="list", title="最近的业务", columns=columns, rows=rows)))


def _when(order: Order) -> str:
    return order.created_at.astimezone(BANK_ZONE).strftime("%m月%d日 %H:%M")
