"""Receiving codes: shown to those who pay, and paid by those who scan them."""

from __future__ import annotations

import re
from typing import Any

from actions.accounts import AccountSlot, PayingAccountSlot, account_label
from actions.orders import OrderSkill
from actions.services import bank_of, customer_of, refusals, services_of
from actions.transfers import TransferAmountSlot
from banking_core.days import moment_words
from banking_core.errors import BankError
from banking_core.money_text import fen_to_yuan_text, mask_name
from banking_core.receive_codes import CodePayee, ReceiveCode
from bot.dialogue.by_form import SCAN
from bot.dialogue.errors import SlotRefused
from bot.dialogue.reading.money import Money
from bot.dialogue.reading.pay_codes import pay_link, read_pay_codes
from bot.dialogue.reading.types import Reading
from bot.dialogue.reply import Card, Choice, Fact, Reply, choices
from bot.dialogue.skill import Accepted, Checked, Done, Manner, Skill, SkillRefused, Slot, Step, Turn
from bot.dialogue.slots import ChoiceSlot, MoneySlot
from bot.dialogue.state import Frame

SHOW, RENEW, REVOKE = "show", "renew", "revoke"
_WISHES = (
    (SHOW, "出示", ()),
    (RENEW, "换新码", ("换一", "换个", "换张", "换新", "更换", "重新", "刷新")),
    (REVOKE, "停用", ("作废", "注销", "关闭", "关掉", "停掉", "停了", "停止使用", "不要了", "取消收款码")),
)
_WANTS_AMOUNT = re.compile(r"(?:设|定|加|带|改).{0,6}金额|金额.{0,3}(?:设|定|改)")
NO_ACCOUNT = "您还没有可以收款的账户，可以到网点开户，或者说“转人工”。"
NOT_BY_EAR = (
    "收款码是一张图片，电话里没法给您看。请在网页或微信里说“我的收款码”；"
    "要让人现在就转，把户名和卡号告诉对方就行。"
)

NOT_SCANNED_BY_EAR = (
    "电话里看不了图片，扫不了码。请在微信里把收款码的图片发给我，或者打开我们的网页扫；也可以直接说“转账”。"
)
FIXED_AMOUNT = "这张收款码的金额是固定的：可以请对方换一张，或者换个付款账户再扫。"
CODE_HINT = "收款码是对方在我行出的二维码：对方说一声“我的收款码”就有。"
HOW_TO_SHOW = {
    "web": "请点输入框左边的“＋”，选“扫一扫”，拍下或选一张收款码的图片；把收款码的链接粘贴过来也行。",
    "wechat": "请把收款码的照片或截图发给我；把收款码的链接发过来也行。",
}


class WishSlot(ChoiceSlot):
    """What is to become of the code; it is shown unless something else is said."""

    def __init__(self) -> None:
        super().__init__("wish", "要办的事", options=_WISHES, question="是出示、换一张，还是停用？")

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """Where the words fit several, what changes most."""
        found = await super().read(turn, asked=asked)
        return found[-1:]

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """Showing it."""
        return Accepted(SHOW, "出示")


class ReceiveAmountSlot(MoneySlot):
    """What the code asks for; without one the payer decides."""

    def __init__(self) -> None:
        super().__init__("amount", "金额", question="收多少钱？", hint="说一个准数就行，比如“两百元”。")

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """None asked for, unless the customer wants to set one."""
        if frame.values.get("wish") == SHOW and _WANTS_AMOUNT.search(turn.text):
            return None
        return Accepted(None, "由付款人填")


class ReceivingAccountSlot(AccountSlot):
    """The account that receives; the default one unless the customer names another."""

    kinds = ("current",)

    def __init__(self) -> None:
        super().__init__("account", "收款账户", question="收到哪个账户？")

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """The customer's default account; "" when there is none."""
        account = await bank_of(turn).accounts.default_for(turn.session, customer_of(turn))
        return Accepted(account.id, account_label(account)) if account is not None else Accepted("", "")


class ReceiveCodeSkill(Skill):
    """我的收款码."""

    intent = "qr_receive"
    title = "收款码"
    manner = Manner(example="我的收款码", on_screen=NOT_BY_EAR)
    slots = (WishSlot(), ReceiveAmountSlot(), ReceivingAccountSlot())

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Shows the code as a picture, a new one, or ends all of them."""
        codes, customer_id = bank_of(turn).receive_codes, customer_of(turn)
        wish, amount_fen, account_id = (frame.values[name] for name in ("wish", "amount", "account"))
        if wish == REVOKE:
            return Done(_revoked(await codes.revoke(turn.session, customer_id)))
        if not account_id:
            return Done(Reply(NO_ACCOUNT, choices=choices("转人工")))
        with refusals(receive_amount_refused="amount"):
            if amount_fen is not None:
                code = await codes.for_amount(turn.session, customer_id, account_id, amount_fen)
            elif wish == RENEW:
                code = await codes.renewed(turn.session, customer_id, account_id)
            else:
                code = await codes.fixed(turn.session, customer_id, account_id)
        return Done(await _shown(turn, frame, code))


async def _shown(turn: Turn, frame: Frame, code: ReceiveCode) -> Reply:
    customer = await bank_of(turn).customers.get(turn.session, code.customer_id)
    account = frame.shown["account"]
    facts = [Fact("收款人", mask_name(customer.name)), Fact("收款账户", account)]
    if code.amount_fen is None:
        renewed = (
            "新的收款码出好了，原来那张已经不能再付。"
            if frame.values["wish"] == RENEW
            else "这是您的收款码。"
        )
        text = f"{renewed}钱收到{account}，金额由付款人填。"
        until = "长期有效，可随时停用"
        offers = choices("设置收款码金额", "换一张收款码", "停用收款码")
    else:
        assert code.expires_at is not None, "a code with an amount runs out"
        yuan, until = fen_to_yuan_text(code.amount_fen), f"{moment_words(code.expires_at, turn.now)}前"
        text = f"这是收{yuan}的收款码，钱收到{account}，{until}有效。"
        facts.insert(0, Fact("收款金额", yuan))
        offers = choices("我的收款码", "停用收款码")
    card = Card(
        kind="code",
        title="我的收款码",
        facts=(*facts, Fact("有效期", until)),
        note="付款人扫码，或打开码里的链接，核对姓名后再付。码里没有您的卡号。",
        code=pay_link(services_of(turn).pages_url, code.token),
    )
    return Reply(text, card, offers)


def _revoked(count: int) -> Reply:
    if not count:
        return Reply("您现在没有能用的收款码，不用停。需要时说“我的收款码”。", choices=choices("我的收款码"))
    how_many = f"{count}张收款码都" if count > 1 else "收款码"
    return Reply(
        f"您的{how_many}停用了，别人再扫就付不了，已经收到的钱不受影响。需要时说“我的收款码”会出新的。",
        choices=choices("我的收款码"),
    )


class PayCodeSlot(Slot[str]):
    """Somebody's receiving code, from a picture or a link; value is its token.

    One that cannot be paid is taken too: the bank says why as soon as the skill goes on, and that ends it.
    """

    def __init__(self) -> None:
        super().__init__("code", "收款码", question="请把收款码的图片或链接发给我。", hint=CODE_HINT)

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """How to show it here."""
        return Reply(HOW_TO_SHOW.get(turn.channel, self.question), choices=choices("取消"))

    async def read(self, turn: Turn, *, asked: bool) -> list[Reading[str]]:
        """Links, and pictures that were read."""
        return read_pay_codes(turn.text)

    async def check(self, turn: Turn, frame: Frame, raw: str) -> Checked:
        """Another code than before asks for its own amount."""
        if frame.values.get(self.name) not in (None, raw):
            frame.clear("amount")
        try:
            payee = await bank_of(turn).receive_codes.payee(turn.session, raw, customer_of(turn))
        except BankError:
            return Accepted(raw, "收款码")
        return Accepted(raw, payee.shown)


class CodeAmountSlot(TransferAmountSlot):
    """What is paid: the code's own amount, where it has one."""

    async def ask(self, turn: Turn, frame: Frame) -> Reply:
        """For a fixed amount, whether it is to be paid."""
        fixed_fen = (await _payee(turn, frame)).amount_fen
        if fixed_fen is None:
            return Reply(f"付给{frame.shown['code']}，付多少钱？", choices=choices("取消"))
        yuan = fen_to_yuan_text(fixed_fen)
        return Reply(
            f"这张收款码要付{yuan}。", choices=(Choice(f"付{yuan}", f"付{yuan}"), Choice("取消", "取消"))
        )

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """The code's amount. Raises SkillRefused for a code that cannot be paid."""
        fixed_fen = (await _payee(turn, frame)).amount_fen
        return None if fixed_fen is None else Accepted(fixed_fen, fen_to_yuan_text(fixed_fen))

    async def check(self, turn: Turn, frame: Frame, raw: Money) -> Checked:
        """No other amount than the code's."""
        accepted = await super().check(turn, frame, raw)
        fixed_fen = (await _payee(turn, frame)).amount_fen if "code" in frame.values else None
        if fixed_fen is not None and isinstance(accepted, Accepted) and accepted.value != fixed_fen:
            yuan = fen_to_yuan_text(fixed_fen)
            raise SlotRefused(f"这张收款码的金额固定是{yuan}，不能改。要付别的金额，请让对方换一张码。")
        return accepted


async def _payee(turn: Turn, frame: Frame) -> CodePayee:
    """Whom the frame's code names. Raises SkillRefused."""
    with refusals():
        return await bank_of(turn).receive_codes.payee(turn.session, frame.values["code"], customer_of(turn))


class ScanPaySkill(OrderSkill):
    """扫一扫: an ordinary transfer to whom a receiving code names."""

    intent = SCAN
    title = "扫码付款"
    kind = "transfer"
    manner = Manner(example="扫一扫", moves_money=True, on_screen=NOT_SCANNED_BY_EAR)
    slots = (PayCodeSlot(), CodeAmountSlot(), PayingAccountSlot())
    ask_again = {"insufficient_funds": "amount", "limit_exceeded": "amount"}

    async def run(self, turn: Turn, frame: Frame) -> Step:
        """As any transfer; what cannot be paid of a fixed amount is not asked for again."""
        try:
            return await super().run(turn, frame)
        except SkillRefused as refusal:
            if refusal.slot != "amount" or (await _payee(turn, frame)).amount_fen is None:
                raise
            raise SkillRefused(refusal.customer_text + FIXED_AMOUNT, choices=choices("查余额")) from refusal

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Name and account number are the bank's, not the picture's."""
        payee = await _payee(turn, frame)
        return {
            "from_account_id": frame.values["from_account"],
            "payee_name": payee.name,
            "payee_account_number": payee.account_number,
            "payee_bank_code": None,
            "amount_fen": frame.values["amount"],
            "purpose": self.title,
        }
