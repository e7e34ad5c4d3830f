"""Alembic's entry: runs on the connection that `migrations.runner` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from migrations.model_modules import load_metadata

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("run migrations with `zhanggui` or `python -m migrations`, not with the alembic command")

context.configure(
    connection=connection,
    target_metadata=load_metadata(),
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter most things in place
    user_module_prefix="storage.",
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
