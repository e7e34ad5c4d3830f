"""What the desk had written down before there was one trail is in it, chained."""

from __future__ import annotations

from sqlalchemy import text

from banking_core.audit import AuditQuery, search
from banking_core.audit.verify import verify
from banking_core.storage import Database
from migrations import upgrade
from migrations.runner import downgrade

BEFORE = "0017"
AT = "2024-01-02 03:04:05"
ROWS = (
    ("login", "", True),
    ("claim", "t1", True),
    ("look", "t1", True),
    ("look", "t9", False),
    ("ticket_phone", "GD1", True),
)


async def test_the_desk_s_rows_move_into_the_trail(database_url: str) -> None:
    await upgrade(database_url, BEFORE)
    database = Database(database_url)
    async with database.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO customer (id, phone_sealed, name_sealed, id_number_sealed, level, segment, status,"
                f" created_at) VALUES ('c1', '', '', '', 'gold', '', 'active', '{AT}')"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO conversation (id, channel, customer_id, owner, next_seq, can_rate, created_at, updated_at)"
                f" VALUES ('t1', 'web', 'c1', 'bot', 1, FALSE, '{AT}', '{AT}')"
            )
        )
        for action, subject, allowed in ROWS:
            await connection.execute(
                text(
                    "INSERT INTO desk_audit (agent_id, action, subject, allowed, at)"
                    f" VALUES ('a1', '{action}', '{subject}', {str(allowed).upper()}, '{AT}')"
                )
            )
    await upgrade(database_url)
    async with database.snapshot() as session:
        assert (await verify(session)).ok
        records = list(reversed((await search(session, AuditQuery(actor_id="a1"))).records))
        of_customer = (await search(session, AuditQuery(customer_id="c1"))).records
    assert [(r.action, r.object_kind, r.object_id, r.allowed) for r in records] == [
        ("agent.logged_in", "", "", True),
        ("conversation.claimed", "conversation", "t1", True),
        ("conversation.read", "conversation", "t1", True),
        ("conversation.read", "conversation", "t9", False),
        ("ticket.phone_read", "ticket", "GD1", True),
    ]
    assert len(of_customer) == 2 and records[0].at.isoformat() == "2024-01-02T03:04:05+00:00"
    await downgrade(database_url, BEFORE)
    async with database.snapshot() as session:
        rows = await session.execute(text("SELECT action, subject, allowed FROM desk_audit ORDER BY id"))
        assert sorted((row.action, row.subject, bool(row.allowed)) for row in rows) == sorted(ROWS)
    await database.close()
