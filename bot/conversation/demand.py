"""What customers ask: which answers are given most, and which questions found none.

Both are read from the message log, so what a customer's erasure removes is gone from here too; only the operator's
verdict on an unanswered question is kept in a table of its own, under a fingerprint of its words.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.privacy.logs import mask_log_text
from banking_core.vault import vault_of
from bot.conversation.errors import UnknownQuestion
from bot.conversation.models import Message, QuestionReview

ANSWERED = "answer:"
UNANSWERED = ("not_known", "suggest", "fallback")
MESSAGES_MAX = 20_000  # of the newest unanswered ones, so that a flood cannot make the list slow
LENGTH_MIN = 2  # folded characters; a lone 。 is no question
SHOWN_LENGTH_MAX = 120
FINGERPRINT_LENGTH = 12

_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One question, however it was punctuated: how often it was asked, and what the assistant did the last time."""

    fingerprint: str
    text: str  # as last asked, with phone, card and identity numbers masked
    times: int
    last_at: datetime
    action: str


async def most_asked(session: AsyncSession, since: datetime, limit: int) -> list[str]:
    """Ids of the knowledge entries that answered most often since then, the most frequent first."""
    count = func.count().label("n")
    rows = await session.execute(
        select(Message.action, count)
        .where(Message.action.like(f"{ANSWERED}%"), Message.created_at >= since)
        .group_by(Message.action)
        .order_by(count.desc(), Message.action)
        .limit(limit)
    )
    return [str(action).removeprefix(ANSWERED) for action, _ in rows]


async def open_questions(
    session: AsyncSession, since: datetime, limit: int, *, until: datetime | None = None
) -> list[OpenQuestion]:
    """Questions without an answer since then that nobody has settled, the most frequent first."""
    ended = () if until is None else (Message.created_at < until,)
    rows = await session.execute(
        select(Message.id, Message.text_sealed, Message.action, Message.created_at)
        .where(Message.action.in_(UNANSWERED), Message.created_at >= since, *ended)
        .order_by(Message.created_at.desc())
        .limit(MESSAGES_MAX)
    )
    times: Counter[str] = Counter()
    newest: dict[str, tuple[str, str, datetime]] = {}
    vault = vault_of(session)
    for message_id, sealed, action, at in rows:
        text = Message.text.open(vault, sealed, message_id)
        if len(folded(text)) < LENGTH_MIN:
            continue
        key = fingerprint(text)
        times[key] += 1
        newest.setdefault(key, (text, str(action), at))
    settled = await _settled(session, list(times))
    return [
        OpenQuestion(key, mask_log_text(newest[key][0])[:SHOWN_LENGTH_MAX], n, newest[key][2], newest[key][1])
        for key, n in times.most_common()
        if not (key in settled and newest[key][2] <= settled[key])
    ][:limit]


async def settle(session: AsyncSession, key: str, now: datetime, note: str) -> None:
    """The operator has dealt with a question; asked again later it comes back. Raises UnknownQuestion."""
    since = now - timedelta(days=366)
    if all(question.fingerprint != key for question in await open_questions(session, since, MESSAGES_MAX)):
        raise UnknownQuestion(key)
    review = await session.get(QuestionReview, key)
    if review is None:
        session.add(QuestionReview(fingerprint=key, settled_at=now, note=note))
    else:
        review.settled_at, review.note = now, note


def folded(text: str) -> str:
    """The words alone: no punctuation, no spaces, one width and case."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text)).lower()


def fingerprint(text: str) -> str:
    """Twelve hexadecimal digits that stand for a question."""
    return hashlib.sha256(folded(text).encode("utf-8", "replace")).hexdigest()[:FINGERPRINT_LENGTH]


async def _settled(session: AsyncSession, keys: list[str]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for start in range(0, len(keys), 500):
        rows = await session.execute(
            select(QuestionReview.fingerprint, QuestionReview.settled_at).where(
                QuestionReview.fingerprint.in_(keys[start : start + 500])
            )
        )
        found.update((str(key), at) for key, at in rows)
    return found
