"""How the outcome of an order is told to the customer."""

from __future__ import annotations

from banking_core.clock import BANK_ZONE
from banking_core.orders.models import Order
from bot.dialogue.reply import Card, Fact, Reply, choices

TITLES: dict[str, str] = {
    "transfer": "转账",
    "bill_pay": "缴费",
    "topup": "话费充值",
    "card_report_loss": "挂失",
    "card_cancel_loss": "解除挂失",
    "security_lock": "开启安全锁",
    "security_unlock": "解除安全锁",
    "payee_add": "添加收款人",
    "payee_delete": "删除收款人",
    "voice_enrol": "开通声纹",
    "voice_cancel": "取消声纹",
}


def receipt(order: Order) -> Reply:
    """Executed, submitted to an outside party, or failed with the money back; always with a number to refer to."""
    title = TITLES.get(order.kind, "业务")
    if order.status == "failed":
        why = order.failure_text or "对方没有受理。"
        return Reply(
            f"{title}没有成功：{why}{_where_the_money_is(order)}业务编号{order.number}。",
            card=Card(kind="receipt", title=f"{title}未成功", facts=_facts(order), note=why),
        )
    if order.status == "waiting" and order.not_before is not None:
        at = order.not_before.astimezone(BANK_ZONE).strftime("%m月%d日 %H:%M")
        why = order.risk_text or "为了您的资金安全，这笔要稍后办理。"
        facts = (Fact("预计办理时间", at), *(Fact(*fact) for fact in order.facts))
        return Reply(
            f"{why}预计{at}办理，在那之前您可以说“取消”，钱还没有动。业务编号{order.number}。",
            card=Card(
                kind="receipt", title=f"{title}等待办理", facts=(*facts, Fact("业务编号", order.number))
            ),
            choices=choices("取消"),
        )
    if order.status == "submitted":
        return Reply(
            f"{title}已受理，正在等对方处理，结果马上告诉您，请不要重复提交。业务编号{order.number}。",
            card=Card(kind="receipt", title=f"{title}处理中", facts=_facts(order)),
        )
    return Reply(
        f"{title}成功，回单编号{order.receipt_number}。",
        card=Card(kind="receipt", title=f"{title}成功", facts=_facts(order)),
    )


def _where_the_money_is(order: Order) -> str:
    if not order.amount_fen or "钱没有动" in (order.failure_text or ""):
        return ""
    return "钱没有动。" if order.ledger_transaction_id is None else "钱已经退回您的账户。"


def _facts(order: Order) -> tuple[Fact, ...]:
    facts = tuple(Fact(label, value) for label, value in order.receipt_facts)
    labels = {fact.label for fact in facts}
    numbers = (("业务编号", order.number), ("回单编号", order.receipt_number))
    return facts + tuple(Fact(label, value) for label, value in numbers if value and label not in labels)
