"""Filing, looking into, answering and judging complaints. Nothing here commits."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.audit import note
from banking_core.checked import checked
from banking_core.clock import bank_date
from banking_core.complaints.errors import (
    ComplaintNotFound,
    ComplaintNotYours,
    ComplaintOver,
    ComplaintUnanswered,
)
from banking_core.complaints.models import ROUNDS_MAX, Complaint, ComplaintEntry
from banking_core.configuration.rules import ComplaintRules
from banking_core.core import Core
from banking_core.days import at_time
from banking_core.errors import InvalidInput
from banking_core.telling import again_at

ACK_TERM = "service.complaint_ack_days"
ANSWER_TERM = "service.complaint_days"
CUSTOMER_NAME = "客户"
CONTENT_CHARS_MAX = 1000
SATISFIED_MIN = 3  # of 5
LISTED_MAX = 200
NUMBER_TRIES_MAX = 20
OPEN = ("filed", "working")
_NUMBER = re.compile(r"TS[0-9]{14}")


@dataclass(frozen=True)
class Staff:
    """The agent who acts."""

    id: str
    name: str


@checked
class Complaints:
    """Complaints of customers, and what the bank does about them."""

    def __init__(self, core: Core) -> None:
        self._clock, self._calendar, self._terms, self._notices = (
            core.clock,
            core.calendar,
            core.terms,
            core.notices,
        )
        self.rules: ComplaintRules = core.rules.complaints

    async def file(
        self,
        session: AsyncSession,
        *,
        customer_id: str,
        conversation_id: str,
        channel: str,
        content: str,
        key: str,
    ) -> Complaint:
        """Files it, once per key, as 'TS' + bank date + 6 digits, with a category and dates. Raises InvalidInput."""
        found = await session.scalar(select(Complaint).where(Complaint.key == key))
        if found is not None:
            return found
        content = content.strip()[:CONTENT_CHARS_MAX]
        if not content:
            raise InvalidInput("a complaint without words", field="content")
        now = self._clock.now()
        complaint = await self._numbered(
            session,
            Complaint(
                key=key,
                customer_id=customer_id,
                conversation_id=conversation_id,
                channel=channel,
                category=self.classify(content),
                content=content,
                status="filed",
                round=1,
                filed_at=now,
                ack_due_at=self._due(now, ACK_TERM),
                answer_due_at=self._due(now, ANSWER_TERM),
            ),
            now,
        )
        await self._log(session, complaint, "filed", CUSTOMER_NAME, content)
        return complaint

    def classify(self, content: str) -> str:
        """The category whose words occur in it most; the last one, which has none, when none do."""
        hits = {
            code: len(re.findall("|".join(row.hears), content)) if row.hears else 0
            for code, row in self.rules.categories.items()
        }
        best = max(hits, key=lambda code: hits[code])
        return best if hits[best] else next(reversed(self.rules.categories))

    async def of_customer(
        self, session: AsyncSession, customer_id: str, *, limit: int = 5
    ) -> Sequence[Complaint]:
        """The customer's complaints, newest first."""
        rows = await session.scalars(
            select(Complaint)
            .where(Complaint.customer_id == customer_id)
            .order_by(Complaint.filed_at.desc(), Complaint.number.desc())
            .limit(min(max(limit, 1), LISTED_MAX))
        )
        return rows.all()

    async def listed(
        self, session: AsyncSession, status: str, assignee_id: str | None = None
    ) -> Sequence[Complaint]:
        """'open' ones by due date, or 'answered', or 'closed' ones newest first. Raises InvalidInput.

        `assignee_id` narrows it to whom looks into them, "" to those nobody has; None is everybody's.
        """
        wanted = {"open": OPEN, "answered": ("answered",), "closed": ("closed",)}.get(status)
        if wanted is None:
            raise InvalidInput("unknown status", field="status")
        order = Complaint.answer_due_at.asc() if status == "open" else Complaint.answered_at.desc()
        statement = select(Complaint).where(Complaint.status.in_(wanted))
        if assignee_id is not None:
            statement = statement.where(Complaint.assignee_id == (assignee_id or None))
        rows = await session.scalars(statement.order_by(order).limit(LISTED_MAX))
        return rows.all()

    async def open_by_assignee(self, session: AsyncSession) -> Mapping[str, int]:
        """How many complaints wait for an answer, by id of whom looks into them; "" is nobody."""
        rows = await session.execute(
            select(Complaint.assignee_id, func.count())
            .where(Complaint.status.in_(OPEN))
            .group_by(Complaint.assignee_id)
        )
        return {assignee_id or "": count for assignee_id, count in rows.all()}

    async def get(self, session: AsyncSession, number: str) -> Complaint:
        """One complaint, locked for this transaction. Raises ComplaintNotFound."""
        found = None
        if _NUMBER.fullmatch(number):
            found = await session.scalar(
                select(Complaint).where(Complaint.number == number).with_for_update()
            )
        if found is None:
            raise ComplaintNotFound("no complaint of this number")
        return found

    async def log_of(self, session: AsyncSession, complaint: Complaint) -> Sequence[ComplaintEntry]:
        """What was done about it, in order."""
        rows = await session.scalars(
            select(ComplaintEntry)
            .where(ComplaintEntry.complaint_id == complaint.id)
            .order_by(ComplaintEntry.number)
        )
        return rows.all()

    async def assign(
        self, session: AsyncSession, number: str, to: Staff, by: Staff | None = None
    ) -> Complaint:
        """Somebody looks into it from now on: themself, or by a supervisor's word (`by`).

        Raises ComplaintOver, and ComplaintNotYours when a colleague has it, or for the second round had the first.
        """
        complaint = await self.get(session, number)
        if complaint.status not in OPEN:
            raise ComplaintOver("not open")
        taken = complaint.assignee_id not in (None, to.id) and by is None
        if taken or (complaint.round == ROUNDS_MAX and complaint.first_assignee_id == to.id):
            raise ComplaintNotYours("somebody else's")
        if complaint.assignee_id == to.id:
            return complaint
        complaint.assignee_id, complaint.assignee_name, complaint.status = to.id, to.name, "working"
        if complaint.acked_at is None:
            complaint.acked_at = self._clock.now()
        kind = "assigned" if by else "taken"
        await self._log(session, complaint, kind, (by or to).name, f"由{to.name}处理", {"assignee_id": to.id})
        return complaint

    async def note(self, session: AsyncSession, number: str, by: Staff, text: str) -> Complaint:
        """A line of the investigation. Raises ComplaintNotYours, ComplaintOver."""
        complaint = await self._mine(session, number, by)
        await self._log(session, complaint, "noted", by.name, text)
        return complaint

    async def reclassify(self, session: AsyncSession, number: str, by: Staff, category: str) -> Complaint:
        """Another category. Raises InvalidInput, ComplaintNotYours, ComplaintOver."""
        complaint = await self._mine(session, number, by)
        if category not in self.rules.categories:
            raise InvalidInput("unknown category", field="category")
        complaint.category = category
        await self._log(session, complaint, "classified", by.name, self.rules.categories[category].words)
        return complaint

    async def answer(self, session: AsyncSession, number: str, by: Staff, text: str) -> Complaint:
        """The bank's answer; the customer is told. Raises ComplaintNotYours, ComplaintOver, InvalidInput."""
        complaint = await self._mine(session, number, by)
        if not text.strip():
            raise InvalidInput("an answer without words", field="text")
        complaint.status, complaint.answer = "answered", text.strip()
        complaint.answered_at, complaint.told_at = self._clock.now(), None
        complaint.tell_attempts, complaint.next_tell_at = 0, None
        if complaint.round == 1:
            complaint.first_assignee_id = by.id
        await self._log(session, complaint, "answered", by.name, text.strip())
        await self._notices.tell(
            session,
            key=f"complaint:{complaint.number}:{complaint.round}",
            customer_id=complaint.customer_id,
            kind="complaint",
            text=f"您的投诉{complaint.number}已有答复，请在聊天里说“投诉进度”查看。",
            urgent=True,
        )
        return complaint

    async def judge(self, session: AsyncSession, customer_id: str, score: int, words: str = "") -> Complaint:
        """What the customer (1 to 5) thinks of the newest answer. An unhappy one is looked into once more, by another.

        Raises ComplaintUnanswered, InvalidInput.
        """
        if not 1 <= score <= 5:
            raise InvalidInput("a score from 1 to 5", field="score")
        complaint = await session.scalar(
            select(Complaint)
            .where(Complaint.customer_id == customer_id, Complaint.status == "answered")
            .order_by(Complaint.answered_at.desc())
            .limit(1)
            .with_for_update()
        )
        if complaint is None:
            raise ComplaintUnanswered("nothing to judge")
        now = self._clock.now()
        complaint.score = score
        await self._log(session, complaint, "judged", CUSTOMER_NAME, f"{score}分 {words}".strip())
        if score >= SATISFIED_MIN or complaint.round == ROUNDS_MAX:
            complaint.status, complaint.closed_at = "closed", now
            return complaint
        complaint.status, complaint.round = "filed", ROUNDS_MAX
        complaint.assignee_id = complaint.assignee_name = None
        complaint.answer_due_at = self._due(now, ANSWER_TERM)
        await self._log(session, complaint, "reopened", CUSTOMER_NAME, "客户不满意，换人复核")
        return complaint

    async def untold(self, session: AsyncSession) -> Sequence[Complaint]:
        """Answered, but the conversation it came from has not heard it yet, and due.

        Those never tried come first: however many cannot be told, they keep nobody else waiting.
        """
        due = Complaint.next_tell_at.is_(None) | (Complaint.next_tell_at <= self._clock.now())
        rows = await session.scalars(
            select(Complaint)
            .where(Complaint.status == "answered", Complaint.told_at.is_(None), due)
            .order_by(Complaint.next_tell_at.asc().nulls_first(), Complaint.answered_at)
            .limit(LISTED_MAX)
        )
        return rows.all()

    async def told(self, session: AsyncSession, number: str, round_: int) -> None:
        """The conversation has the answer of this round. Raises ComplaintNotFound."""
        complaint = await self.get(session, number)
        if complaint.round == round_:
            complaint.told_at = self._clock.now()

    async def telling_failed(self, session: AsyncSession, number: str, round_: int) -> None:
        """The next try is due later, see `banking_core.telling`. Raises ComplaintNotFound."""
        complaint = await self.get(session, number)
        if complaint.round == round_:
            complaint.next_tell_at = again_at(self._clock.now(), complaint.tell_attempts)
            complaint.tell_attempts += 1

    async def _mine(self, session: AsyncSession, number: str, by: Staff) -> Complaint:
        complaint = await self.get(session, number)
        if complaint.status not in OPEN:
            raise ComplaintOver("not open")
        if complaint.assignee_id != by.id:
            raise ComplaintNotYours("not assigned to them")
        return complaint

    async def _numbered(self, session: AsyncSession, complaint: Complaint, now: datetime) -> Complaint:
        for _ in range(NUMBER_TRIES_MAX):
            complaint.number = f"TS{bank_date(now):%Y%m%d}{secrets.randbelow(10**6):06d}"
            taken = await session.scalar(select(Complaint.id).where(Complaint.number == complaint.number))
            if taken is None:
                break
        try:
            async with session.begin_nested():
                session.add(complaint)
        except IntegrityError as error:  # drawn by somebody else at this very moment: the turn is tried again
            raise InvalidInput("the number is taken", field="number") from error
        return complaint

    async def _log(
        self,
        session: AsyncSession,
        complaint: Complaint,
        kind: str,
        by_name: str,
        text: str,
        noted: Mapping[str, str] | None = None,
    ) -> None:
        count = await session.scalar(
            select(func.count())
            .select_from(ComplaintEntry)
            .where(ComplaintEntry.complaint_id == complaint.id)
        )
        now = self._clock.now()
        session.add(
            ComplaintEntry(
                complaint_id=complaint.id,
                number=int(count or 0) + 1,
                at=now,
                kind=kind,
                by_name=by_name,
                text=text[:CONTENT_CHARS_MAX],
            )
        )
        await session.flush()
        note(
            session,
            f"complaint.{kind}",
            at=now,
            customer_id=complaint.customer_id,
            object_kind="complaint",
            object_id=complaint.number,
            after=noted,
        )

    def _due(self, now: datetime, term: str) -> datetime:
        """The end of the business day that many working days after this one."""
        day: date = bank_date(now)
        for _ in range(self._terms.integer(term)):
            day = self._calendar.next_working_day(day + timedelta(days=1))
        return at_time(day, self.rules.due_by)
