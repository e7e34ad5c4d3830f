"""What a customer signs by giving the one-time code of an order."""

from __future__ import annotations

from banking_core.checked import checked_function
from banking_core.identity.purposes import CodePurpose
from banking_core.ledger.hashing import digest
from banking_core.money_text import fen_to_yuan_text
from banking_core.orders.models import Order

# What the text message calls an order; facts of these labels follow, so that a changed payee shows.
NAMES = {
    "transfer": "转账",
    "bill_pay": "生活缴费",
    "topup": "手机充值",
    "card_cancel_loss": "解除挂失",
    "security_unlock": "解除安全锁",
    "payee_add": "添加收款人",
    "voice_enrol": "开通声纹",
    "voice_cancel": "取消声纹",
}
SHOWN_LABELS = ("收款人", "收款账户")
NAME_DEFAULT = "办理业务"


@checked_function
def code_purpose(order: Order) -> CodePurpose:
    """The purpose of a code for this order: its id, and a digest of every fact that was read back."""
    signed = [order.kind, order.customer_id, order.body, order.amount_fen, order.fee_fen, order.facts]
    facts = [value for label, value in order.facts if label in SHOWN_LABELS]
    if order.amount_fen:
        facts.append(fen_to_yuan_text(order.amount_fen))
    words = NAMES.get(order.kind, NAME_DEFAULT) + (f"（{'，'.join(facts)}）" if facts else "")
    return CodePurpose(f"order:{order.id}", signs=digest(signed), words=words)
