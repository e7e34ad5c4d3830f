"""The facade of the bank: one object that the skills, the desk and the command line are given."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields

from banking_core.branches.service import Branches
from banking_core.cards.service import Cards
from banking_core.checked import checked_function
from banking_core.clock import Clock
from banking_core.complaints import Complaints
from banking_core.configuration import Terms
from banking_core.core import Core, build_core
from banking_core.identity.keys import Fingerprints
from banking_core.interest import Interest
from banking_core.living.service import Living
from banking_core.locks.service import Locks
from banking_core.mandates import Mandates
from banking_core.receive_codes import ReceiveCodes
from banking_core.risk.service import Risk
from banking_core.settings import BankSettings
from banking_core.statements import MonthlyStatements, Statements
from banking_core.storage import Database
from banking_core.voiceprints import VoiceLogins, Voiceprints
from banking_core.voiceprints.keys import voices_open

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bank(Core):
    """The core and every business area."""

    statements: Statements
    monthly_statements: MonthlyStatements
    interest: Interest
    living: Living
    cards: Cards
    locks: Locks
    mandates: Mandates
    branches: Branches
    complaints: Complaints
    receive_codes: ReceiveCodes
    risk: Risk
    voiceprints: Voiceprints
    voice_logins: VoiceLogins

    async def start(self, database: Database) -> None:
        """See `Core`. Voiceprints that do not open keep nobody else from being served: the log says so."""
        await super().start(database)
        async with database.snapshot() as session:
            if not await voices_open(session):
                log.error("voiceprints do not open with the keys at hand: customers must record anew")


@checked_function
def build_bank(settings: BankSettings, clock: Clock, *, terms: Terms | None = None) -> Bank:
    """Wires the whole bank; call `await bank.start(database)` before the first customer comes in."""
    core = build_core(settings, clock, terms=terms)
    voiceprints = Voiceprints(core, settings)
    shared = {field.name: getattr(core, field.name) for field in fields(Core)}
    return Bank(
        **shared,
        statements=Statements(core),
        monthly_statements=MonthlyStatements(core),
        interest=Interest(core),
        living=Living(core),
        cards=Cards(core),
        locks=Locks(core),
        mandates=Mandates(core),
        branches=Branches(core),
        complaints=Complaints(core),
        receive_codes=ReceiveCodes(core),
        risk=Risk(holds=(voiceprints.suspicion.held,)),
        voiceprints=voiceprints,
        voice_logins=VoiceLogins(
            voiceprints, core.identity.logins, core.customers, Fingerprints(settings.otp_key)
        ),
    )
