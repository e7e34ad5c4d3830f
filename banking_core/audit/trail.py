"""Noting acts. A note waits in the session and is written right before the commit, in the same transaction.

Last, because a chain's head is locked then: whoever needs it waits for nothing but the commit, and two transactions
cannot wait for each other over it (the heads themselves are locked in rising order). A note made inside a savepoint
that is rolled back is forgotten with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

from sqlalchemy import event, insert, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from banking_core.audit.acting import Who, current, new_correlation_id
from banking_core.audit.chains import chain_of, record_hash
from banking_core.audit.models import AuditChain, AuditRecord
from banking_core.checked import UNREAD, AnyText, checked_function
from banking_core.errors import InvalidInput
from banking_core.ledger.chain_heads import lock_head
from banking_core.privacy.logs import mask_log_text
from banking_core.storage import before_commit

VALUES_BYTES_MAX = 4_000
_NOTES = "audit_notes"
_MARKS = "audit_marks"
_LENGTHS = {
    "actor_id": 64,
    "action": 48,
    "object_kind": 32,
    "object_id": 64,
    "channel": 16,
    "address": 64,
    "device": 64,
    "correlation_id": 32,
}


# A trail refuses nothing for its looks: whatever it is given is cut, cleaned and masked here.
AnyWho = Annotated[Who, UNREAD]
AnyMapping = Annotated[Mapping[Any, Any], UNREAD]


class AuditInvalid(InvalidInput):
    """An act that cannot be noted as it was given."""

    code = "audit_invalid"


@dataclass(frozen=True)
class _Note:
    at: datetime
    chain: int
    values: dict[str, Any]


@checked_function
def note(
    session: AsyncSession,
    action: AnyText,
    *,
    at: datetime,
    customer_id: AnyText | None = None,
    object_kind: AnyText = "",
    object_id: AnyText = "",
    before: AnyMapping | None = None,
    after: AnyMapping | None = None,
    allowed: bool = True,
    by: AnyWho | None = None,
) -> None:
    """Notes an act such as 'payee.added', to be written when the session's transaction commits.

    Who acts is `by`, else whoever `acting` named. `before` and `after` are JSON objects of masked values; a whole
    phone, identity or card number in them is masked all the same. Raises AuditInvalid on values too large.
    """
    who = by or current()
    values: dict[str, Any] = {
        "actor_kind": who.kind,
        "actor_id": who.id,
        "customer_id": _clean(customer_id)[:32] if customer_id is not None else None,
        "action": action,
        "allowed": allowed,
        "object_kind": object_kind,
        "object_id": object_id,
        "before": _masked(before),
        "after": _masked(after),
        "channel": who.channel,
        "address": who.address,
        "device": who.device,
        "correlation_id": who.correlation_id or current().correlation_id or new_correlation_id(),
    }
    for name, length_max in _LENGTHS.items():
        values[name] = _clean(values[name])[:length_max]
    notes = session.info.setdefault(_NOTES, [])
    if not notes:
        before_commit(session, lambda: _write(session))
    notes.append(_Note(at, chain_of(values["customer_id"], values["actor_id"]), values))


async def _write(session: AsyncSession) -> None:
    """Appends the notes of the session to their chains."""
    notes: list[_Note] = session.info.pop(_NOTES, [])
    rows: list[dict[str, Any]] = []
    for chain_id, of_chain in groupby(
        sorted(notes, key=lambda noted: noted.chain), lambda noted: noted.chain
    ):
        chain = await lock_head(session, AuditChain, chain_id)
        sequence, last_hash = chain.last_sequence, chain.last_hash
        for noted in of_chain:
            sequence += 1
            place = {"at": noted.at, "chain": chain_id, "sequence": sequence, "previous_hash": last_hash}
            last_hash = record_hash(noted.values, **place)
            rows.append(noted.values | place | {"hash": last_hash})
        await session.execute(
            update(AuditChain)
            .where(AuditChain.id == chain_id)
            .values(last_sequence=sequence, last_hash=last_hash)
            .execution_options(synchronize_session=False)
        )
    if rows:
        await session.execute(insert(AuditRecord.__table__), rows)  # type: ignore[arg-type]


def _masked(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    try:
        text = json.dumps(dict(values), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise AuditInvalid("before and after are JSON objects", field="after") from None
    if len(text.encode("utf-8", "replace")) > VALUES_BYTES_MAX:
        raise AuditInvalid("before or after is too large", field="after")
    masked: dict[str, Any] = _mask_within(json.loads(text))
    return masked


def _mask_within(value: Any) -> Any:
    """Masks every text of a JSON value; numbers stay, because an amount is no card number."""
    if isinstance(value, str):
        return mask_log_text(_clean(value))
    if isinstance(value, list):
        return [_mask_within(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _mask_within(item) for key, item in value.items()}
    return value


def _clean(text: str) -> str:
    """Text that both databases store: no NUL, no half characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


@event.listens_for(Session, "after_transaction_create")
def _savepoint_begins(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, {})[transaction] = len(session.info.get(_NOTES, ()))


@event.listens_for(Session, "after_soft_rollback")
def _savepoint_undone(session: Session, transaction: SessionTransaction) -> None:
    mark = session.info.get(_MARKS, {}).pop(transaction, None)
    if mark is not None and _NOTES in session.info:
        del session.info[_NOTES][mark:]
