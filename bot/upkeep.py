"""What the product does by itself: the bank's jobs, and those that tell customers at once how something ended."""

from __future__ import annotations

from collections.abc import Sequence

from banking_core.bank import Bank
from banking_core.jobs import bank_jobs, sweep_job
from banking_core.scheduling import Job, Slot
from banking_core.storage import Database
from bot.conversation.handoff import Handoff
from bot.conversation.hub import Hub
from bot.conversation.settlement import Settlement

SWEEP_S = 10


def upkeep_jobs(
    database: Database, bank: Bank, settlement: Settlement, hub: Hub, handoff: Handoff
) -> Sequence[Job]:
    """Every job of the product."""

    async def settle(_slot: Slot) -> str:
        return f"ended={await settlement.sweep(hub.announce)}"

    async def unattended(_slot: Slot) -> str:
        return f"told={await handoff.sweep_unattended()}"

    async def answers(_slot: Slot) -> str:
        return f"told={await handoff.tell_answers()}"

    async def lost_calls(_slot: Slot) -> str:
        return f"hung_up={await hub.hang_up_lost()}"

    return (
        sweep_job("lost_calls", SWEEP_S, lost_calls),
        sweep_job("complaint_answers", SWEEP_S, answers),
        sweep_job("settlement", SWEEP_S, settle),
        sweep_job("unattended", SWEEP_S, unattended),
        *bank_jobs(bank, database),
    )
