"""Orders that open and cancel a voiceprint: explained, read back, confirmed, and proved by a code.

Whoever changes or cancels one that is there proves more: who has nothing but the telephone could otherwise do away
with the voice that stands in their way. Besides the code it is the old voice, or a log-in by password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Explanation:
    """What the customer agrees to: a version of the words, with so many days for which recordings are kept (0: not
    at all).
    """

    version: int
    audio_days: int

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """As it is shown."""
        days = self.audio_days
        return (
            ("用途", "只用来核实是您本人"),
            ("保存", "声音特征加密保存，不给任何人看"),
            ("录音", f"念数字的录音加密保存{days}天" if days else "不存录音"),
            ("转账", "光凭声音动不了您的钱"),
            ("取消", "随时可以取消，马上删除"),
        )


class EnrolHandler:
    """`voice_enrol` {}: the customer agrees to having a voiceprint; it is recorded afterwards, by telephone.

    The body keeps what was shown: the bank may start with another setting before they agree.
    """

    kind = ENROL_KIND

    def __init__(self, voiceprints: Voiceprints) -> None:
        self._voiceprints = voiceprints

    async def price(self, session: AsyncSession, customer: Customer, body: Mapping[str, Any]) -> Quote:
        """Raises VoiceUnavailable."""
        self._voiceprints.ensure_available()
        status = await self._voiceprints.status(session, customer.id)
        shown = self._voiceprints.explanation
        facts = [("业务", "开通声纹"), *shown.facts]
        if status.enrolled_at is not None:
            day = bank_date(status.enrolled_at)
            facts[0] = ("业务", "重新录制声纹")
            facts.append(("原来的声纹", f"{day.month}月{day.day}日录的，新的录好以后删除"))
        step_up: StepUp = "otp" if status.may_record else "otp_voice"
        return Quote(amount_fen=0, fee_fen=0, facts=tuple(facts), step_up=step_up, body=asdict(shown))

    async def execute(self, session: AsyncSession, order: Order) -> Executed:
        """Keeps the consent to what was shown, however the bank explains it by now."""
        now = self._voiceprints.explanation
        # An order of a former release does not say what was shown: then nothing is kept.
        shown = Explanation(order.body.get("version", now.version), order.body.get("audio_days", 0))
        await self._voiceprints.agree(session, order.customer_id, Origin(channel=order.channel), shown=shown)
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
