"""When the key ring of the voices is lost: what was made of them opens no more, and nothing else is touched.

A voiceprint that does not open stays in its row, so that whoever has only the telephone still cannot record over it
with a code alone. `forget_unreadable` destroys what was in it, once an operator has given the keys up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from banking_core.checked import checked_function
from banking_core.storage import Database
from banking_core.vault import Sealed, VaultError, sealed_attributes, vault_of
from banking_core.voiceprints.models import VoiceAttempt, VoiceEnrolment, Voiceprint

log = logging.getLogger(__name__)
PROOFS = 5
BATCH_ROWS = 200
GONE = ""  # in place of a template that is destroyed


@checked_function
async def voices_open(session: AsyncSession) -> bool:
    """False when there are voiceprints and none of the newest opens: another bank's keys, or fresh ones."""
    newest = select(Voiceprint).order_by(Voiceprint.enrolled_at.desc()).limit(PROOFS)
    found = list(await session.scalars(newest))
    return not found or any(
        _opens(session, Voiceprint.template, row.id, row.template_sealed) for row in found
    )


@checked_function
async def forget_unreadable(database: Database) -> int:
    """Destroys every template, recording and fingerprint that does not open; returns how many rows held one.

    A voiceprint stays, empty: its owner is told to record anew. An enrolment under way goes. In small transactions;
    begun again after a crash it goes on. Raises KeyRingInvalid where the ring of the voices is not here.
    """
    rows = 0
    for model in (Voiceprint, VoiceEnrolment, VoiceAttempt):
        last: str | None = ""
        while last is not None:
            after = last

            async def batch(
                session: AsyncSession, model: type[Any] = model, after: str = after
            ) -> tuple[str | None, int]:
                return await _forget_batch(session, model, after)

            last, done = await database.run(batch, idempotent=True)
            rows += done
    return rows


async def _forget_batch(session: AsyncSession, model: type[Any], after: str) -> tuple[str | None, int]:
    """The next rows: the last id looked at (None: there was none), and how many held what does not open."""
    vault_of(session).ring_named("voice")
    attributes = list(sealed_attributes(model))
    columns = [getattr(model, attribute.column) for attribute in attributes]
    statement = select(model.id, *columns).where(model.id > after).order_by(model.id).limit(BATCH_ROWS)
    rows = (await session.execute(statement.with_for_update(key_share=True))).all()
    done = 0
    for row_id, *stored in rows:
        broken = [
            attribute
            for attribute, sealed in zip(attributes, stored, strict=True)
            if sealed is not None and not _opens(session, attribute, row_id, sealed)
        ]
        if broken:
            done += 1
            await _forget(session, model, row_id, broken)
    return (rows[-1][0] if rows else None), done


async def _forget(
    session: AsyncSession, model: type[Any], row_id: str, broken: Sequence[Sealed[Any]]
) -> None:
    if model is VoiceEnrolment:
        await session.execute(delete(VoiceEnrolment).where(VoiceEnrolment.id == row_id))
        return
    values: dict[str, str | None] = {}
    for attribute in broken:
        values |= attribute.stored(vault_of(session), GONE if model is Voiceprint else None, row_id)
    await session.execute(update(model).where(model.id == row_id).values(values))


def _opens(session: AsyncSession, attribute: Sealed[Any], row_id: str, sealed: str) -> bool:
    try:
        attribute.open(vault_of(session), sealed, row_id)
    except VaultError as error:
        log.info("does not open code=%s: %s", error.code, error)
        return False
    return True
