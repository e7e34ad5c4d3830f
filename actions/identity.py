"""Logging in inside a conversation. The password and the codes are taken by the hub, never by this skill."""

from __future__ import annotations

from actions.proving import BY_TELEPHONE
from actions.services import bank_of
from banking_core.money_text import mask_name, mask_phone
from bot.dialogue.reading.numbers import read_phones
from bot.dialogue.reply import Reply, choices
from bot.dialogue.skill import (
    SECRETS_ELSEWHERE,
    Accepted,
    AskSecret,
    Done,
    Manner,
    Prove,
    Skill,
    Step,
    Turn,
    Unproved,
)
from bot.dialogue.slots import PhoneSlot
from bot.dialogue.state import Frame

RENEW = "另外，您的声纹需要重录，办完事请说“开通声纹”。"
NO_VOICES = "另外，声纹现在用不了，请按键输入验证码办理。"


class LoginPhoneSlot(PhoneSlot):
    """The number the customer banks with; not asked of one who is logged in, or logs in on a page."""

    async def default(self, turn: Turn, frame: Frame) -> Accepted | None:
        """Nothing is needed after the log-in; callers are first taken to bank with the number they call from."""
        if turn.customer_id is not None or turn.channel in SECRETS_ELSEWHERE:
            return Accepted("", "")
        numbers = [found.value for found in read_phones(turn.caller)]
        return Accepted(numbers[0], mask_phone(numbers[0])) if numbers else None


class LoginSkill(Skill):
    """登录."""

    intent = "identity_login"
    title = "登录"
    manner = Manner(example="登录", needs_login=False)
    slots = (
        LoginPhoneSlot(
            "phone", "手机号", question="请说您在银行登记的手机号。", hint="是开户时留的11位手机号。"
        ),
    )

    async def run(self, turn: Turn, frame: Frame) -> Step:
        """Asks for the password; whether the number is known to the bank is not told."""
        if turn.customer_id is not None:
            customer = await bank_of(turn).customers.get(turn.session, turn.customer_id)
            return Done(
                Reply(
                    f"您已经登录了，{mask_name(customer.name)}。想办什么直接说。",
                    choices=choices("查余额", "转账"),
                )
            )
        if turn.channel in SECRETS_ELSEWHERE:
            text = "请在安全页面登录，登录好了我接着办。密码和验证码请不要发在聊天里。"
            return Prove(Reply(text), AskSecret("password", "login", ""))
        phone = frame.values["phone"]
        if turn.channel == BY_TELEPHONE:
            if turn.on_call and phone in [found.value for found in read_phones(turn.caller)]:
                return Prove(Reply(""), AskSecret("voice", "login", phone))
            return _by_code(phone)
        text = "请输入登录密码。密码只用来核对，不会显示，也不会留在聊天记录里。"
        return Prove(Reply(text), AskSecret("password", "login", phone))

    async def unproved(self, turn: Turn, frame: Frame, why: Unproved) -> Step:
        """Who is not known by their voice is known by a code."""
        return _by_code(frame.values["phone"])

    async def proved(self, turn: Turn, frame: Frame) -> Step:
        """Password and code were right."""
        assert turn.customer_id is not None
        customer = await bank_of(turn).customers.get(turn.session, turn.customer_id)
        told = await _of_the_voice(turn, turn.customer_id) if turn.on_call else ""
        return Done(Reply(f"登录成功，{mask_name(customer.name)}，您好。{told}"))


async def _of_the_voice(turn: Turn, customer_id: str) -> str:
    """What a caller who has a voiceprint should know of it."""
    status = await bank_of(turn).voiceprints.status(turn.session, customer_id)
    if status.renew:
        return RENEW
    return NO_VOICES if status.enrolled and not status.available else ""


def _by_code(phone: str) -> Prove:
    return Prove(Reply(""), AskSecret("otp", "login", phone))
