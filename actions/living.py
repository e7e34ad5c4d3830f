"""Household bills and phone credit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.accounts import PayingAccountSlot
from actions.orders import OrderSkill
from actions.services import bank_of, customer_of, refusals
from banking_core.living.models import BILLER_NAMES
from banking_core.living.service import Bill
from banking_core.money_text import fen_to_yuan_text, mask_phone
from bot.dialogue.errors import SlotRefused
from bot.dialogue.filling import which_one_reply
from bot.dialogue.reading.billers import read_bill_type
from bot.dialogue.reading.types import Reading
from bot.dialogue.reply import Card, Choice, Reply, choices
from bot.dialogue.skill import Accepted, Checked, Done, Manner, Skill, SkillRefused, Slot, Turn, WhichOne
from bot.dialogue.slots import MoneySlot, PhoneSlot
from bot.dialogue.state import SLOT_CHOICES_MAX, Frame

ANY = "any"
OWN_PHONE_WORDS = ("本机", "自己", "我的手机", "我手机", "这个手机", "这个号", "本人", "我的号", "我这个")
NO_ACCOUNT_TEXT = "您还没有绑定{}的户号，可以到网点或转人工绑定后再来缴费。"


async def bills_of(turn: Turn, biller: str | None) -> list[Bill]:
    """Bills of one kind, or of every kind the customer pays."""
    with refusals():
        return await bank_of(turn).living.bills(turn.session, customer_of(turn), biller)


def bill_label(bill: Bill) -> str:
    """电费 2026年10月 ¥123.40."""
    return f"{bill.biller_name} {bill.period} {fen_to_yuan_text(bill.amount_fen)}"


def kinds_name(kinds: str) -> str:
    """electricity+water -> 电费、水费."""
    return "、".join(BILLER_NAMES.get(kind, "全部账单") for kind in kinds.split("+"))


class BillerSlot(Slot[str]):
    """Which kind of bill is asked about; all of them unless said."""

    def __init__(self) -> None:
        super().__init__("biller", "缴费项目", question="查哪一项？")

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """水, 电, 燃气, 物业, 有线电视; 水电费 is two of them, joined by a plus sign."""
        found = read_bill_type(turn.text)
        if not found:
            return []
        kinds = "+".join(dict.fromkeys(str(reading.value) for reading in found))
        start, end = found[0].start, found[-1].end
        return [Reading(kinds, start, end, turn.text[start:end])]

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Any kinds we know."""
        return Accepted(raw, kinds_name(raw))

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """Every kind."""
        return Accepted(ANY, "全部账单")


class BillQuerySkill(Skill):
    """电费多少."""

    intent = "bill_query"
    title = "查账单"
    manner = Manner(example="这个月电费多少")
    slots = (BillerSlot(),)

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """What is unpaid, and the latest of what is paid."""
        wanted = frame.values["biller"].split("+")
        bills = [bill for bill in await bills_of(turn, None) if wanted == [ANY] or bill.biller in wanted]
        name = "生活缴费" if wanted == [ANY] else kinds_name(frame.values["biller"])
        if not bills:
            raise SkillRefused(NO_ACCOUNT_TEXT.format(name))
        unpaid = [bill for bill in bills if bill.status == "unpaid"]
        shown = unpaid or bills[:5]
        rows = tuple(
            (b.biller_name, b.period, fen_to_yuan_text(b.amount_fen), _state(b))
            for b in shown[:SLOT_CHOICES_MAX]
        )
        card = Card(kind="list", title=f"{name}账单", columns=("项目", "账期", "金额", "状态"), rows=rows)
        if not unpaid:
            return Done(Reply(f"您的{name}都交清了，最近一期是{bill_label(bills[0])}。", card))
        total_fen = sum(bill.amount_fen for bill in unpaid)
        spoken = "；".join(bill_label(bill) for bill in unpaid[:SLOT_CHOICES_MAX])
        text = f"您有{len(unpaid)}笔没交，一共{fen_to_yuan_text(total_fen)}：{spoken}。"
        pay = tuple(Choice(f"交{n}", f"交{n}") for n in dict.fromkeys(bill.biller_name for bill in unpaid))
        return Done(Reply(text, card, pay))


def _state(bill: Bill) -> str:
    if bill.status == "unpaid":
        return "已逾期" if bill.overdue else f"{bill.due_on.month}月{bill.due_on.day}日前交"
    return {"processing": "缴费中", "paid": "已交"}[bill.status]


class BillSlot(Slot[str]):
    """The bill to pay; value is its id. The only unpaid one is taken, several are offered."""

    def __init__(self) -> None:
        super().__init__("bill", "账单", question="要交哪一笔？")

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """The kind of bill."""
        return [Reading(str(r.value), r.start, r.end, r.text) for r in read_bill_type(turn.text)]

    async def _unpaid(self, turn: Turn, biller: str | None) -> list[Bill]:
        return [bill for bill in await bills_of(turn, biller) if bill.status == "unpaid"]

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """The unpaid bill of that kind; several are asked about."""
        unpaid = await self._unpaid(turn, raw)
        if not unpaid:
            raise SlotRefused(f"您没有要交的{BILLER_NAMES[raw]}。")
        if len(unpaid) > 1:
            return WhichOne(f"您有几笔{BILLER_NAMES[raw]}没交，交哪一笔？", _options(unpaid))
        return _bill_accepted(unpaid[0])

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """The only unpaid bill; nothing to pay ends the skill."""
        unpaid = await self._unpaid(turn, None)
        if not unpaid:
            raise SkillRefused("您现在没有要交的账单，都交清了。")
        return _bill_accepted(unpaid[0]) if len(unpaid) == 1 else None

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """Lists what is unpaid."""
        unpaid = await self._unpaid(turn, None)
        if not unpaid:
            raise SkillRefused("您现在没有要交的账单，都交清了。")
        return which_one_reply(frame, self.name, self.question, _options(unpaid))


def _options(bills: Sequence[Bill]) -> tuple[Accepted, ...]:
    return tuple(_bill_accepted(bill) for bill in bills[:SLOT_CHOICES_MAX])


def _bill_accepted(bill: Bill) -> Accepted:
    return Accepted({"bill_id": bill.id, "biller": bill.biller}, bill_label(bill))


class BillPaySkill(OrderSkill):
    """交电费."""

    intent = "bill_pay"
    title = "缴费"
    kind = "bill_pay"
    manner = Manner(example="交电费", moves_money=True)
    slots = (BillSlot(), PayingAccountSlot())

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Bill and paying account; the amount is the bill's."""
        return {"from_account_id": frame.values["from_account"], **frame.values["bill"]}


class TopupPhoneSlot(PhoneSlot):
    """The number to top up; 本机 is the customer's own."""

    def __init__(self) -> None:
        super().__init__("phone", "手机号", question="给哪个手机号充话费？")

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """Offers the customer's own number."""
        own = await _own_phone(turn)
        return Reply(
            self.question, choices=(Choice(f"给自己充（{mask_phone(own)}）", "给自己充"),) if own else ()
        )

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """Digits, or a word for one's own phone."""
        found = await super().read(turn, asked=asked)
        if found:
            return found
        own = await _own_phone(turn)
        for word in OWN_PHONE_WORDS:
            at = turn.text.find(word)
            if own and at >= 0:
                return [Reading(own, at, at + len(word), word)]
        return []


async def _own_phone(turn: Turn) -> str | None:
    if turn.customer_id is None:
        return None
    return (await bank_of(turn).customers.get(turn.session, turn.customer_id)).phone


class TopupAmountSlot(MoneySlot):
    """One of the amounts the carriers sell."""

    def __init__(self) -> None:
        super().__init__("amount", "充值金额", question="充多少钱？")

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """Offers the amounts on sale."""
        amounts = bank_of(turn).terms.value("living.topup_amounts_yuan")
        assert isinstance(amounts, list)
        return Reply(self.question, choices=choices(*(f"{yuan}元" for yuan in amounts)))


class TopupSkill(OrderSkill):
    """充话费."""

    intent = "topup"
    title = "话费充值"
    kind = "topup"
    manner = Manner(example="给自己充100元话费", moves_money=True)
    slots = (TopupPhoneSlot(), TopupAmountSlot(), PayingAccountSlot())
    ask_again = {
        "insufficient_funds": "amount",
        "topup_amount_invalid": "amount",
        "topup_phone_invalid": "phone",
    }

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Number, amount and paying account."""
        return {
            "from_account_id": frame.values["from_account"],
            "phone": frame.values["phone"],
            "amount_fen": frame.values["amount"],
        }
