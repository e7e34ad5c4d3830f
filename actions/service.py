"""A ticket for a call-back when nobody is on duty."""

from __future__ import annotations

from actions.services import bank_of, services_of
from banking_core.days import moment_words
from banking_core.money_text import mask_phone
from bot.dialogue.reply import Card, Fact, Reply
from bot.dialogue.skill import Accepted, Done, Manner, Skill, Turn
from bot.dialogue.slots import PhoneSlot, TextSlot
from bot.dialogue.state import Frame


class TicketPhoneSlot(PhoneSlot):
    """Where to call back; a known customer's own number."""

    def __init__(self) -> None:
        super().__init__("phone", "联系电话", question="回电打哪个手机号？")

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """The number the customer banks with."""
        if turn.customer_id is None:
            return None
        phone = (await bank_of(turn).customers.get(turn.session, turn.customer_id)).phone
        return Accepted(phone, mask_phone(phone))


class TicketLeaveSkill(Skill):
    """留工单: started by the engine, not by a sentence."""

    intent = "ticket_leave"
    title = "留工单"
    manner = Manner(needs_login=False, hidden=True)
    slots = (
        TextSlot("content", "内容", question="好的，请用一句话说说要办的事，我记下来。"),
        TicketPhoneSlot(),
    )

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Files the ticket and tells its number."""
        number = await services_of(turn).tickets.create_ticket(
            turn.session,
            turn.conversation_id,
            turn.customer_id,
            frame.values["phone"],
            frame.values["content"],
        )
        promised = moment_words(services_of(turn).tickets.promise(), turn.now)
        facts = (
            Fact("工单编号", number),
            Fact("回电号码", frame.shown["phone"]),
            Fact("内容", frame.shown["content"]),
            Fact("回电时间", f"{promised}前"),
        )
        return Done(
            Reply(
                f"工单已经留好，编号{number}，同事会在{promised}前给您回电话。",
                Card(kind="ticket", title="工单", facts=facts),
            )
        )
