"""What the hub tells the bank of the moment in which an order is made: from where, and how the talk went.

All of it is read from the conversation's own log when an order is drafted or carried out. Counts leave here, never
words. The meaning of each count is that of `banking_core.risk.context.Signals`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.identity import Origin
from banking_core.risk.phrases import Phrases
from bot.conversation.models import Conversation, Message
from bot.conversation.redaction import BLOT

STORY_LIFE = timedelta(hours=24)  # what was told is remembered so long, unless a human has looked at it since
SITTING_PAUSE = timedelta(minutes=15)  # a longer silence begins a new sitting
LINES_MAX = 160
SILENCE_S = 60.0
PROVED = "proved"
PROOF_FAILED = "secret:failed"  # too often wrong: no further try for now
# Somebody else, a recording, or never the right digits.
VOICE_FAILED = ("unproved:suspicious", "unproved:unclear")
LATIN_WORDS_MIN = 2  # so many words, and not one Chinese character, and it is English that is spoken
_LATIN = re.compile(r"[A-Za-z]{2,}")
_CJK = re.compile(r"[\u3400-\u9fff]")
AMOUNT_SLOTS = ("amount", "amount_fen")
PAYEE_SLOTS = ("payee", "name", "account_number", "phone")
_COUNTED = {  # beginnings of actions
    "corrections": ("correct",),
    "digressions": ("answer:", "talk:"),
    "clarifications": ("clarify", "fallback", "ask_back", "suggest", "not_known"),
    "cancelled": ("command:cancel",),
    "human_asked": ("hand_over:asked",),
    "code_failures": ("secret", *VOICE_FAILED),
    "code_resends": ("resend",),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log, as far as it is looked at."""

    sender: str
    text: str
    action: str
    at: datetime

    @property
    def is_secret(self) -> bool:
        """A code or a password was given: how long that took says nothing of the customer."""
        return BLOT in self.text or self.action in ("secret", PROVED, PROOF_FAILED)


async def circumstances(
    session: AsyncSession, conversation: Conversation, origin: Origin, phrases: Phrases, now: datetime
) -> dict[str, Any]:
    """The `context` of an order made in this conversation, JSON values only."""
    found: dict[str, Any] = {"signals": signals(await _lines(session, conversation.id, now), phrases, now)}
    if origin.address:
        found["address"] = origin.address
    if origin.device:
        found["device"] = origin.device
    if origin.on_call:
        found["on_call"] = True
    if conversation.verified_at is not None:
        found["session_started_at"] = conversation.verified_at.isoformat()
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """Whether a swindler's story was told since a human last had the conversation, whether proving who they are failed
    in this sitting, and the customer's language.
    """

    story: bool
    proof_failed: bool
    language: str


async def talk_so_far(session: AsyncSession, conversation_id: str, phrases: Phrases, now: datetime) -> Told:
    """What the desk is told of the talk so far."""
    lines = await _lines(session, conversation_id, now)
    told, _ = _told(lines, phrases)
    failed = (PROOF_FAILED, *VOICE_FAILED)
    proofs = [line.action for line in _sitting(lines) if line.action in (PROVED, *failed)]
    own = "".join(line.text for line in lines if line.sender == "customer")
    foreign = not _CJK.search(own) and len(_LATIN.findall(own)) >= LATIN_WORDS_MIN
    return Told(bool(told), bool(proofs) and proofs[-1] in failed, "en" if foreign else "zh")


async def _lines(session: AsyncSession, conversation_id: str, now: datetime) -> list[Line]:
    statement = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.created_at >= now - STORY_LIFE)
        .order_by(Message.seq.desc())
        .limit(LINES_MAX)
    )
    rows = (await session.scalars(statement)).all()
    return [Line(row.sender, row.text, row.action or "", row.created_at) for row in reversed(rows)]


def signals(lines: Sequence[Line], phrases: Phrases, now: datetime) -> dict[str, Any]:
    """Counts and times of the sitting that goes on, and what was told since a human last had the conversation."""
    sitting = _sitting(lines)
    own = [line for line in sitting if line.sender == "customer"]
    spoken = [line for line in own if not line.is_secret]
    told, enquiries = _told(lines, phrases)
    found: dict[str, Any] = {name: _count(own, begins) for name, begins in _COUNTED.items()}
    answers_s = _answers_s(sitting)
    found |= {
        "turns": len(own),
        "amount_corrections": _corrected(own, AMOUNT_SLOTS),
        "payee_corrections": _corrected(own, PAYEE_SLOTS),
        "silences": sum(answer_s > SILENCE_S for answer_s in answers_s),
        "answer_s_mean": sum(answers_s) / len(answers_s) if answers_s else 0.0,
        "answer_s_max": max(answers_s, default=0.0),
        "answer_s_last": answers_s[-1] if answers_s else 0.0,
        "chars_mean": sum(len(line.text) for line in spoken) / len(spoken) if spoken else 0.0,
        "elapsed_s": (now - sitting[0].at).total_seconds() if sitting else 0.0,
        "enquiries": enquiries,
        "phrases": dict(told),
    }
    return found


def _told(lines: Sequence[Line], phrases: Phrases) -> tuple[Counter[str], int]:
    told: Counter[str] = Counter()
    enquiries = 0
    for line in lines:
        if line.sender == "agent":
            told, enquiries = Counter(), 0
        elif line.sender == "customer" and not line.is_secret:
            heard = phrases.hear(line.text)
            told.update(heard.categories)
            enquiries += heard.enquiry
    return told, enquiries


def _sitting(lines: Sequence[Line]) -> Sequence[Line]:
    begins = 0
    for index, (before, after) in enumerate(pairwise(lines), 1):
        if after.at - before.at > SITTING_PAUSE:
            begins = index
    return lines[begins:]


def _answers_s(sitting: Sequence[Line]) -> list[float]:
    """Seconds between a question and its answer, secrets left out."""
    return [
        (after.at - before.at).total_seconds()
        for before, after in pairwise(sitting)
        if before.sender == "bot" and after.sender == "customer" and not after.is_secret
    ]


def _count(own: Sequence[Line], begins: tuple[str, ...]) -> int:
    return sum(line.action.startswith(begins) for line in own)


def _corrected(own: Sequence[Line], slots: tuple[str, ...]) -> int:
    """Corrections of one of these slots: the action says which were changed."""
    changed = [line.action.partition(":")[2].split(",") for line in own if line.action.startswith("correct:")]
    return sum(any(slot in slots for slot in names) for names in changed)
