"""Orders that open and cancel a voiceprint: explained, read back, confirmed, and proved by a code.

Whoever changes or cancels one that is there proves more: who has nothing but the telephone could otherwise do away
with the voice that stands in their way. Besides the code it is the old voice, or a log-in by password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.clock import bank_date
from banking_core.customers.models import Customer
from banking_core.identity.origin import Origin
from banking_core.orders.models import Order
from banking_core.orders.types import Executed, Quote, StepUp
from banking_core.voiceprints.errors import VoiceprintMissing

if TYPE_CHECKING:
    from banking_core.voiceprints.service import Voiceprints

ENROL_KIND, CANCEL_KIND = "voice_enrol", "voice_cancel"


def explanation(audio_days: int) -> tuple[tuple[str, str], ...]:
    """What the customer agrees to. `audio_days`: so long the bank keeps recordings; 0: not at all."""
    return (
        ("用途", "只用来核实是您本人"),
        ("保存", "声音特征加密保存，不给任何人看"),
        ("录音", f"念数字的录音加密保存{audio_days}天" if audio_days else "不存录音"),
        ("转账", "光凭声音动不了您的钱"),
        ("取消", "随时可以取消，马上删除"),
    )


class EnrolHandler:
    """`voice_enrol` {}: the customer agrees to having a voiceprint; it is recorded afterwards, by telephone."""

    kind = ENROL_KIND

    def __init__(self, voiceprints: Voiceprints) -> None:
        self._voiceprints = voiceprints

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises VoiceUnavailable."""
        self._voiceprints.ensure_available()
        status = await self._voiceprints.status(session, customer.id)
        facts = [("业务", "开通声纹"), *explanation(self._voiceprints.audio_days)]
        if status.enrolled_at is not None:
            day = bank_date(status.enrolled_at)
            facts[0] = ("业务", "重新录制声纹")
            facts.append(("原来的声纹", f"{day.month}月{day.day}日录的，新的录好以后删除"))
        step_up: StepUp = "otp" if status.may_record else "otp_voice"
        return Quote(amount_fen=0, fee_fen=0, facts=tuple(facts), step_up=step_up, body={})

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Keeps the consent."""
        await self._voiceprints.agree(session, order.customer_id, Origin(channel=order.channel))
        return Executed((("声纹", "已同意，录好以后开始使用"),))


class CancelHandler:
    """`voice_cancel` {}: the template is destroyed and the consent taken back."""

    kind = CANCEL_KIND

    def __init__(self, voiceprints: Voiceprints) -> None:
        self._voiceprints = voiceprints

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises VoiceprintMissing when there is neither a voiceprint nor a consent."""
        status = await self._voiceprints.status(session, customer.id)
        if not (status.enrolled or status.agreed):
            raise VoiceprintMissing("nothing to cancel")
        facts = (("业务", "取消声纹"), ("效果", "声音特征马上删除，以后用短信验证码核实"))
        step_up: StepUp = "otp_voice" if status.enrolled else "otp"
        return Quote(amount_fen=0, fee_fen=0, facts=facts, step_up=step_up, body={})

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Destroys it."""
        await self._voiceprints.cancel(session, order.customer_id, Origin(channel=order.channel))
        return Executed((("声纹", "已取消，声音特征已删除"),))
