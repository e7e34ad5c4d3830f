"""`zhanggui questions`: the operator reads what found no answer, although messages are sealed, and settles it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from banking_core.storage import Database
from bot.cli.main import cli
from bot.conversation.models import Conversation, Message
from bot.settings import load_settings
from migrations import upgrade

QUESTION = "你们银行的停车场周末开吗"


async def command(*arguments: str) -> tuple[int, str]:
    """Runs it in a thread: it has an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, cli, ["questions", *arguments])
    return done.exit_code, done.output


async def test_what_found_no_answer_is_listed_and_settled(elsewhere: Path) -> None:
    settings = load_settings()
    await upgrade(settings.database_url)
    database = Database(settings.database_url, vault=settings.open_vault())
    async with database.transaction() as session:
        now = datetime.now(UTC)
        session.add(Conversation(id="c1", channel="web", created_at=now, updated_at=now))
        await session.flush()
        asked = Message(conversation_id="c1", seq=1, sender="customer", sender_name="", created_at=now)
        asked.text, asked.choices, asked.action = QUESTION, [], "not_known"
        session.add(asked)
    await database.close()
    code, shown = await command("--json")
    (found,) = json.loads(shown)["questions"]
    assert (code, found["text"], found["times"]) == (0, QUESTION, 1)
    code, shown = await command("done", found["id"])
    assert code == 0 and "已标记" in shown
    code, shown = await command()
    assert code == 0 and QUESTION not in shown
