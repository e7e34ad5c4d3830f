"""How the outcome of an order is told to the customer."""

from __future__ import annotations

from banking_core.orders.models import Order
from bot.dialogue.reply import Card, Fact, Reply

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
}


def receipt(order: Order) -> Reply:
    """Executed, submitted to an outside party, or failed with the money back; always with a number to refer to."""
    title = TITLES.get(order.kind, "业务")
    if order.status == "failed":
        why = order.failure_text or "对方没有受理。"
        return Reply(
            f"{title}没有成功：{why}{'钱已经退回您的账户。' if order.amount_fen else ''}业务编号{order.number}。",
            card=Card(kind="receipt", title=f"{title}未成功", facts=_facts(order), note=why),
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


def _facts(order: Order) -> tuple[Fact, ...]:
    facts = tuple(Fact(label, value) for label, value in order.receipt_facts)
    labels = {fact.label for fact in facts}
    numbers = (("业务编号", order.number), ("回单编号", order.receipt_number))
    return facts + tuple(Fact(label, value) for label, value in numbers if value and label not in labels)
