"""What can go wrong with a card.

BankError
├── NotFound
│   └── CardNotFound        no such card, or somebody else's
├── Conflict
│   └── CardStateConflict   the card is not in the state this business needs
└── Refused
    └── CardLost            the account's card is reported lost, so nothing may be paid from it
"""

from __future__ import annotations

from banking_core.errors import Conflict, NotFound, Refused


class CardNotFound(NotFound):
    """No such card, or it belongs to another customer."""

    code = "card_not_found"
    default_customer_text = "没有找到这张卡。可以问我“我有哪些卡”，再告诉我卡号后四位。"


class CardStateConflict(Conflict):
    """The card is not in the state this business needs."""

    code = "card_state_conflict"
    default_customer_text = "这张卡现在的状态办不了这项业务。可以问我“卡状态”看看，或者回复“转人工”。"


class CardLost(Refused):
    """The card of the paying account is reported lost or frozen."""

    code = "card_lost"
    default_customer_text = (
        "这个账户的卡已经挂失，暂时不能付款，钱没有动。卡找到了可以说“解除挂失”，也可以换一个账户付款。"
    )
