"""What lies on the disk of a database, whatever its statements would say."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from banking_core.storage import Database

RELATIONS = """
SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class
WHERE relkind IN ('r', 'i', 't') AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)
"""


async def stored_bytes(url: str, folder: Path) -> bytes:
    """The files of every table and index; SQLite's lie in `folder`, PostgreSQL's are read through the server."""
    database = Database(url)
    if database.is_sqlite:
        await database.close()
        return b"".join(path.read_bytes() for path in folder.glob("bank.db*"))
    async with database.engine.connect() as connection:
        await connection.execute(text("COMMIT"))
        await connection.execute(text("CHECKPOINT"))
        raw = (await connection.scalars(text(RELATIONS))).all()
    await database.close()
    return b"".join(raw)
