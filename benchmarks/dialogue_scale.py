"""What a turn costs with 300 more skills, and after 2,000 messages: `python -m benchmarks.dialogue_scale [--json]`.

The whole hub, engine and bank on SQLite, one customer asking for the balance; only understanding is given, so that
what is measured is ours. Ratios within one run: `skills_ratio` is 318 skills against 18, `history_ratio` a
conversation of 2,000 earlier messages against an empty one. `statements` are SQL statements per turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from actions.registry import build_registry
from banking_core.customers.models import Customer
from bot.assembly import Product
from bot.conversation.models import Conversation, Message
from bot.conversation.views import Inbound
from bot.dialogue.registry import SkillRegistry
from bot.dialogue.reply import Reply
from bot.dialogue.skill import Done, Skill, Turn
from bot.dialogue.slots import MoneySlot, TextSlot
from bot.dialogue.state import Frame
from bot.dialogue.understanding import Understanding
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import make_template, open_copy

DUMMIES = 300
HISTORY = 2_000
TURNS = 60
INTENT = "account_balance"


class DummySkill(Skill):
    """One of many that nobody asks for."""

    title = "没人办的业务"
    slots = (MoneySlot("amount", "金额", question="多少钱？"), TextSlot("note", "备注", question="备注？"))

    def __init__(self, number: int) -> None:
        self.intent = f"dummy_{number}"  # type: ignore[misc]

    async def run(self, turn: Turn, frame: Frame) -> Done:
        """Never called here."""
        return Done(Reply("办好了。"))


class Hears:
    """Stands for the model; as sure as it is in life, with every skill in its ranking."""

    def __init__(self, skills: int) -> None:
        rest = tuple((f"dummy_{number}", 0.02 / max(skills, 1)) for number in range(skills))
        self._ranking = ((INTENT, 0.98), *rest)

    async def understand(self, text: str) -> Understanding:
        """The balance, whatever is said."""
        return Understanding(text, INTENT, 0.98, self._ranking)


@dataclass(frozen=True)
class Measured:
    """Median wall time of a turn in ms, and SQL statements of each."""

    median_ms: float
    statements: int


@asynccontextmanager
async def counter(template: Path, folder: Path, dummies: int) -> AsyncIterator[Product]:
    """A product over a copy of the demo bank with so many skills more."""
    skills = SkillRegistry([*build_registry(), *(DummySkill(number) for number in range(dummies))])
    product = open_copy(template, folder, MOMENT, Hears(dummies), registry=skills)
    await product.start()
    try:
        yield product
    finally:
        await product.close()


async def talk(product: Product, earlier: int) -> str:
    """A logged-in conversation with so many messages in its log."""
    async with product.database.snapshot() as session:
        everybody = list(await session.scalars(select(Customer)))
    customer_id = min(everybody, key=lambda customer: customer.phone).id
    conversation_id = await product.hub.open("web", customer_id=customer_id)
    async with product.database.transaction() as session:
        conversation = await session.get_one(Conversation, conversation_id)
        for seq in range(1, earlier + 1):
            values: dict[str, Any] = {
                "sender": "customer",
                "sender_name": "我",
                "text": f"第{seq}句",
                "choices": [],
            }
            session.add(
                Message(
                    conversation_id=conversation_id,
                    seq=seq,
                    channel_message_id=f"old-{seq}",
                    created_at=MOMENT,
                    **values,
                )
            )
        conversation.next_seq = earlier + 1
    return conversation_id


async def measure(product: Product, conversation_id: str, turns: int = TURNS) -> Measured:
    """Says the same thing `turns` times; the first five are not counted."""
    count = 0

    def counted(*_arguments: object) -> None:
        nonlocal count
        count += 1

    engine = product.database.engine.sync_engine
    spent_ms: list[float] = []
    statements: list[int] = []
    event.listen(engine, "before_cursor_execute", counted)
    try:
        for _ in range(turns + 5):
            before, started_s = count, time.perf_counter()
            received = await product.hub.receive(Inbound(conversation_id, uuid.uuid4().hex, "查余额"))
            spent_ms.append((time.perf_counter() - started_s) * 1000)
            statements.append(count - before)
            assert received.action == f"start:{INTENT}", received.action
    finally:
        event.remove(engine, "before_cursor_execute", counted)
    assert len(set(statements[5:])) == 1, "every turn asks the same of the database"
    return Measured(statistics.median(spent_ms[5:]), statements[-1])


async def compare(folder: Path) -> dict[str, object]:
    """The three measurements and their ratios."""
    template = await make_template(folder / "template", MOMENT)
    async with (
        counter(template, folder / "few", 0) as few,
        counter(template, folder / "many", DUMMIES) as many,
    ):
        short, long = await talk(few, 0), await talk(few, HISTORY)
        other = await talk(many, 0)
        rounds = [
            (await measure(few, short), await measure(many, other), await measure(few, long))
            for _ in range(3)
        ]
    base, skills, history = (min(column, key=lambda m: m.median_ms) for column in zip(*rounds, strict=True))
    return {
        "turn_ms": round(base.median_ms, 2),
        "skills_ratio": round(skills.median_ms / base.median_ms, 3),
        "history_ratio": round(history.median_ms / base.median_ms, 3),
        "statements": base.statements,
        "statements_many_skills": skills.statements,
        "statements_long_history": history.statements,
        "dummy_skills": DUMMIES,
        "earlier_messages": HISTORY,
    }


def main() -> None:
    """Prints a table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(compare(Path(folder)))
    if chosen.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return
    for key, value in report.items():
        sys.stdout.write(f"{key:26} {value}\n")


if __name__ == "__main__":
    main()
