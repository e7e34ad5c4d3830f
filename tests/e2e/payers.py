"""Customers in the middle of a transfer, and what must hold of it whatever happens to the process they talk to."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field

from tests.e2e.counter import PHONES, BackOffice, Counter, Line

PAID = ("executed", "submitted")
SETTLE_TRIES_MAX = 150
CODE_TRIES_MAX = 60


@dataclass
class Payer:
    """One customer in the middle of a transfer; `words` is what they were saying when the power went."""

    name: str
    line: Line
    conversation_id: str
    amount_fen: int
    client_id: str
    words: str
    secret: bool
    codes_before: list[str] = field(default_factory=list)


async def up_to_the_last_word(
    counter: Counter, office: BackOffice, name: str, payee: str, amount_fen: int, with_code: bool
) -> Payer:
    """A transfer read back; with `with_code` confirmed too, and the code at hand."""
    token, conversation_id = await office.seat(name)
    line = Line(counter, token)
    await line.open()
    said = await line.say(f"给{payee}转{amount_fen // 100}块")
    assert f"¥{amount_fen // 100}.00" in said, said
    payer = Payer(name, line, conversation_id, amount_fen, uuid.uuid4().hex, "确认", False)
    if with_code:
        said = await line.say("确认")
        assert line.state["expects"] == "otp", (said, counter.log())
        payer.words, payer.secret = (await office.codes(PHONES[name]))[0], True
    payer.codes_before = await office.codes(PHONES[name])
    return payer


async def assert_whole(office: BackOffice, payer: Payer) -> None:
    """Straight after the crash: the last message is there with its answer and its effect, or nothing of it is."""
    log = await office.log_of(payer.conversation_id)
    heard = any(message["client_id"] == payer.client_id for message in log)
    [order] = await office.orders(payer.conversation_id)
    assert log[-1]["sender"] == "bot", "an answer is written with its question"
    if payer.secret:
        assert (order.status in PAID) == heard, (payer, order.status)
    else:
        assert (order.status == "confirmed") == heard, (payer, order.status)
    assert (order.status in PAID) == (order.ledger_transaction_id is not None)


async def go_on(office: BackOffice, payer: Payer) -> None:
    """The page comes back and sends the very same message; what is still missing is asked for and given."""
    line, spent = payer.line, set(payer.codes_before)
    await line.open()
    await line.say(payer.words, payer.client_id, secret=payer.secret)
    for _ in range(CODE_TRIES_MAX):
        if line.state["expects"] != "otp":
            return
        code = next(iter(await office.codes(PHONES[payer.name])), None)
        # The crash swallowed the SMS, or the code was too old by now. A code may be had once a second.
        if code is None or code in spent:
            await line.say("重发")
            await asyncio.sleep(0.5)
        else:
            spent.add(code)
            await line.say(code, secret=True)


async def assert_paid_once(office: BackOffice, payer: Payer) -> int:
    """One order, carried out, and the customer told so once; returns what it cost in fen."""
    receipts: list[str] = []
    for _ in range(SETTLE_TRIES_MAX):
        [order] = await office.orders(payer.conversation_id)
        log = await office.log_of(payer.conversation_id)
        receipts = [m["text"] for m in log if m["card"] and m["card"]["title"] == "转账成功"]
        if order.status == "executed" and receipts:
            break
        await asyncio.sleep(0.1)
    assert (order.status, order.amount_fen) == ("executed", payer.amount_fen), payer
    assert len(receipts) == 1, (payer, log[-3:])
    return order.amount_fen + order.fee_fen
