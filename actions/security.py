"""The safety lock."""

from __future__ import annotations

from typing import Any

from actions.orders import OrderSkill
from bot.dialogue.skill import Manner, Turn
from bot.dialogue.slots import ChoiceSlot
from bot.dialogue.state import Frame

SCOPES = (
    ("all", "全部交易", ("所有", "全部", "整个", "账户", "账号", "都锁")),
    ("transfers", "只锁转账", ("转账", "转帐", "转出", "汇款")),
    ("large", "只锁大额", ("大额", "大笔")),
)


class LockSkill(OrderSkill):
    """锁定账户."""

    intent = "security_lock"
    title = "开启安全锁"
    kind = "security_lock"
    manner = Manner(example="锁住我的账户", guarded=True, opposite="security_unlock")
    slots = (
        ChoiceSlot("scope", "锁定范围", question="要锁住哪些？锁上以后要用验证码才能解开。", options=SCOPES),
    )

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """What is locked."""
        return {"scope": frame.values["scope"]}


class UnlockSkill(OrderSkill):
    """解锁."""

    intent = "security_unlock"
    title = "解除安全锁"
    kind = "security_unlock"
    manner = Manner(example="解锁", guarded=True)

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Every lock of the customer's own."""
        return {}
