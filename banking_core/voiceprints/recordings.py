"""Recordings of spoken passwords: until when each may be kept. What a recording holds is not looked at here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.voiceprints.models import VoiceAttempt, VoiceConsent


@dataclass(frozen=True)
class Recording:
    """One that is kept: when it was made, and when it is to be deleted."""

    at: datetime
    until: datetime


class Recordings:
    """Kept for the bank's days, or the fewer that the customer agreed to before it was made. Never commits."""

    def __init__(self, audio_days: int) -> None:
        self._audio_days = audio_days

    async def kept(self, session: AsyncSession, customer_id: str) -> Sequence[Recording]:
        """Those of one customer, the oldest first."""
        consents = await session.scalars(select(VoiceConsent).where(VoiceConsent.customer_id == customer_id))
        agreed = consents.all()
        moments = await session.scalars(
            select(VoiceAttempt.at)
            .where(VoiceAttempt.customer_id == customer_id, VoiceAttempt.audio_sealed.is_not(None))
            .order_by(VoiceAttempt.at, VoiceAttempt.id)
        )
        return [Recording(at, at + timedelta(days=self._days(agreed, at))) for at in moments]

    def _days(self, agreed: Sequence[VoiceConsent], at: datetime) -> int:
        stood = [
            consent.audio_days
            for consent in agreed
            if consent.given_at <= at and (consent.revoked_at is None or consent.revoked_at > at)
        ]
        return min([self._audio_days, *stood])

    async def delete_old(self, session: AsyncSession, now: datetime, count_max: int) -> int:
        """Deletes at most so many that have been kept long enough; returns how many."""
        fewer = await session.scalars(
            select(VoiceConsent.audio_days).where(VoiceConsent.audio_days < self._audio_days).distinct()
        )
        old = [VoiceAttempt.at <= now - timedelta(days=self._audio_days)]
        old += [and_(VoiceAttempt.at <= now - timedelta(days=days), _agreed_to(days)) for days in fewer]
        ids = (
            select(VoiceAttempt.id).where(VoiceAttempt.audio_sealed.is_not(None), or_(*old)).limit(count_max)
        )
        gone = await session.execute(
            update(VoiceAttempt)
            .where(VoiceAttempt.id.in_(ids))
            .values(audio_sealed=None)
            .returning(VoiceAttempt.id)
        )
        return len(gone.all())


def _agreed_to(days: int) -> ColumnElement[bool]:
    """Whether the customer had agreed to just so many when the recording was made."""
    return (
        select(VoiceConsent.id)
        .where(
            VoiceConsent.customer_id == VoiceAttempt.customer_id,
            VoiceConsent.audio_days == days,
            VoiceConsent.given_at <= VoiceAttempt.at,
            or_(VoiceConsent.revoked_at.is_(None), VoiceConsent.revoked_at > VoiceAttempt.at),
        )
        .exists()
    )
