"""Accuracy of understanding on a file of labelled sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from actions.registry import build_registry
from bot.dialogue.announced import load_announced
from bot.dialogue.outcome import DEFAULT_POLICY
from bot.dialogue.understanding import Understander
from bot.settings import ANNOUNCED_FOLDER

CONFUSIONS_SHOWN_MAX = 30


def read_labelled(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Lines `text TAB intent[|intent...]`; blank lines and lines without a TAB are skipped."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text, tab, labels = line.partition("\t")
        if tab and text.strip():
            rows.append((text.strip(), tuple(label.strip() for label in labels.split("|"))))
    return rows


async def measure_intents(path: Path, understander: Understander) -> dict[str, object]:
    """n, accuracy, macro_f1, money_false_start_rate, confusions.

    A money false start is a sentence with no money-moving label whose best intent moves money with the certainty at
    which the assistant would start it; the rate is over the sentences with no money-moving label.
    """
    money = build_registry(load_announced(ANNOUNCED_FOLDER)).moves_money()
    hits: Counter[str] = Counter()
    false: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    confusions: dict[tuple[str, str], list[str]] = defaultdict(list)
    peaceful = started = 0
    rows = read_labelled(path)
    for text, labels in rows:
        heard = await understander.understand(text[:500])
        if heard.intent in labels:
            hits[heard.intent] += 1
        else:
            false[heard.intent] += 1
            missed[labels[0]] += 1
            confusions[labels[0], heard.intent].append(text)
        if not money.intersection(labels):
            peaceful += 1
            started += heard.intent in money and heard.confidence >= DEFAULT_POLICY.start_money_min
    labels_seen = set(hits) | set(missed)
    f1 = [2 * hits[i] / (2 * hits[i] + false[i] + missed[i]) for i in labels_seen]
    worst = sorted(confusions.items(), key=lambda item: -len(item[1]))[:CONFUSIONS_SHOWN_MAX]
    return {
        "n": len(rows),
        "accuracy": sum(hits.values()) / len(rows) if rows else 0.0,
        "macro_f1": sum(f1) / len(f1) if f1 else 0.0,
        "money_false_start_rate": started / peaceful if peaceful else 0.0,
        "confusions": [
            {"wanted": wanted, "heard": heard, "n": len(texts), "examples": texts[:3]}
            for (wanted, heard), texts in worst
        ],
    }
