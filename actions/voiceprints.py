"""Voiceprints: agreed to anywhere, recorded by telephone, cancelled anywhere."""

from __future__ import annotations

from typing import Any

from actions.orders import OrderSkill
from actions.services import bank_of, customer_of
from banking_core.orders.models import Order
from bot.dialogue.reply import Card, Fact, Reply, choices
from bot.dialogue.skill import AskSecret, Done, Manner, Prove, Step, Turn, Unproved
from bot.dialogue.state import Frame

HELD = "改动声纹要先核实是您本人，我请同事和您核实；也可以在网页上用密码登录后办理。"
NOT_RECORDED = "这次没有录成，什么都没有留下。要录请再说“开通声纹”，在安静的地方更容易录好。"
CALLED_FROM = frozenset({"web"})  # channels with a call button
EXPLAINED = "声纹是您说话的特征，只用来核实是您本人，加密保存，{audio}，光凭声音动不了钱，随时可以取消。"


class EnrolVoiceSkill(OrderSkill):
    """开通声纹."""

    intent = "voiceprint_enroll"
    title = "开通声纹"
    kind = "voice_enrol"
    held = HELD
    manner = Manner(example="开通声纹", guarded=True, opposite="voiceprint_cancel")

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Nothing but the customer's will."""
        return {}

    async def run(self, turn: Turn, frame: Frame) -> Step:
        """Explains, and asks for consent."""
        await bank_of(turn).voiceprints.explained(turn.session, customer_of(turn))
        return await super().run(turn, frame)

    def read_back(self, order: Order) -> Reply:
        """In short sentences: most of it is heard, not read."""
        facts = dict(order.facts)
        wish, former = facts["业务"], facts.get("原来的声纹", "")
        before = f"您已经有声纹了，{former}。" if former else ""
        return Reply(
            f"{before}{EXPLAINED.format(audio=facts['录音'])}同意{wish}吗？",
            card=Card("readback", f"请核对 · {wish}", tuple(Fact(*fact) for fact in order.facts)),
            choices=choices("同意", "取消"),
        )

    async def proved(self, turn: Turn, frame: Frame) -> Step:
        """With the code the consent is kept and the recording begins; with the last recording all is done."""
        if not await self._recording(turn, frame):
            return await super().proved(turn, frame)
        hours = bank_of(turn).voiceprints.cooling_hours
        return Done(Reply(f"声纹录好了。以后您打电话来，跟我念数字就能核实身份；转账时用，要等{hours}小时。"))

    async def done(self, turn: Turn, order: Order) -> Step:
        """The consent is kept and the recording begins, or is told where it is made."""
        if order.status != "executed":
            return await super().done(turn, order)
        voiceprints = bank_of(turn).voiceprints
        if turn.on_call:
            count = "零一两三四五六七八九十"[voiceprints.enrol_samples]
            return Prove(
                Reply(f"好的。一共念{count}遍，每遍跟我念八个数字。"), AskSecret("voice", "enrol", order.id)
            )
        where = f"请打{bank_of(turn).terms.text('service.hotline')}"
        if turn.channel in CALLED_FROM:
            where += "，或者点输入框旁的“语音通话”"
        return Done(Reply(f"已记下您的同意。声纹要在电话里录：{where}，说“开通声纹”，跟我念三遍数字就好。"))

    async def _recording(self, turn: Turn, frame: Frame) -> bool:
        """Whether what was said is for the template; before that the old voice may be asked for."""
        assert frame.order_id is not None
        order = await bank_of(turn).orders.get(turn.session, frame.order_id, customer_of(turn))
        return order.status == "executed"

    async def unproved(self, turn: Turn, frame: Frame, why: Unproved) -> Step:
        """Nothing is kept of what was said."""
        if not await self._recording(turn, frame):
            return await super().unproved(turn, frame, why)
        assert frame.order_id is not None
        await bank_of(turn).voiceprints.give_up_enrolment(turn.session, customer_of(turn), frame.order_id)
        return Done(Reply(NOT_RECORDED))

    async def abandon(self, turn: Turn, frame: Frame) -> None:
        """Nor if the customer thinks better of it."""
        if turn.customer_id is not None and frame.order_id is not None:
            voiceprints = bank_of(turn).voiceprints
            await voiceprints.give_up_enrolment(turn.session, turn.customer_id, frame.order_id)
        await super().abandon(turn, frame)


class CancelVoiceSkill(OrderSkill):
    """取消声纹."""

    intent = "voiceprint_cancel"
    title = "取消声纹"
    kind = "voice_cancel"
    held = HELD
    manner = Manner(example="取消声纹", guarded=True)

    async def body(self, turn: Turn, frame: Frame) -> dict[str, Any]:
        """Everything that was made of the voice."""
        return {}
