"""What the assistant makes of real first questions: each line is a stranger's first message."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

from bot.conversation.views import TEXT_LENGTH_MAX, Inbound
from bot.dialogue.understanding import Understander
from bot.evaluation.converse import MOMENT
from bot.evaluation.demo_bank import make_template, open_copy


async def measure_answers(path: Path, out: Path, understander: Understander) -> dict[str, object]:
    """Writes one JSON line per question to `out`; returns n and how many of each action there were."""
    questions = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    actions: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="zhanggui-") as folder, out.open("w", encoding="utf-8") as sink:
        template = await make_template(Path(folder) / "template", MOMENT)
        product = open_copy(template, Path(folder) / "copy", MOMENT, understander)
        await product.start()
        try:
            for question in questions:
                conversation_id = await product.hub.open("measure")
                inbound = Inbound(conversation_id, "m1", question[:TEXT_LENGTH_MAX])
                received = await product.hub.receive(inbound)
                actions[received.action.split(":")[0]] += 1
                row = {
                    "text": question,
                    "intent": received.intent,
                    "confidence": round(received.confidence, 4),
                    "action": received.action,
                    "owner": received.standing.owner,
                    "reply": "\n".join(reply.text for reply in received.replies),
                    "choices": [choice["label"] for reply in received.replies for choice in reply.choices],
                }
                sink.write(json.dumps(row, ensure_ascii=False) + "\n")
        finally:
            await product.close()
    return {"n": len(questions), "actions": dict(actions.most_common())}
