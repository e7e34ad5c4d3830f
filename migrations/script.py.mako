# ruff: noqa: E501, PLR0915 (written by Alembic from the models)
"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from banking_core import storage
% if not down_revision:
from banking_core.ledger.triggers import drop_function, install_triggers
% endif
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Applies this revision."""
    ${upgrades if upgrades else "pass"}
% if not down_revision:
    install_triggers(op.get_bind())
% endif


def downgrade() -> None:
    """Takes this revision back."""
    ${downgrades if downgrades else "pass"}
% if not down_revision:
    drop_function(op.get_bind())
% endif
