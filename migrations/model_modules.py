"""Every module that declares tables. A new area adds its line here, or its tables are not created."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData

from banking_core.storage import Base

MODEL_MODULES = (
    "banking_core.customers.models",
    "banking_core.ledger.models",
    "banking_core.accounts.models",
    "banking_core.identity.models",
    "banking_core.audit.models",
    "banking_core.orders.models",
    "banking_core.scheduling.models",
    "banking_core.transfers.models",
    "banking_core.interest.models",
    "banking_core.notices.models",
    "banking_core.restrictions.models",
    "banking_core.mandates.models",
    "banking_core.statements.models",
    "banking_core.risk.models",
    "banking_core.living.models",
    "banking_core.cards.models",
    "banking_core.locks.models",
    "banking_core.branches.models",
    "banking_core.voiceprints.models",
    "banking_core.complaints.models",
    "banking_core.receive_codes.models",
    "bot.conversation.models",
    "bot.channels.web.models",
    "bot.channels.wechat.models",
    "desk.models",
)


def load_metadata() -> MetaData:
    """The tables of the whole product."""
    for module in MODEL_MODULES:
        import_module(module)
    return Base.metadata
