"""Every skill the assistant has. To add one, write its class and name it here."""

from __future__ import annotations

from collections.abc import Iterable

from actions.accounts import AccountBalanceSkill, AccountListSkill
from actions.branches import BranchFindSkill
from actions.cards import CancelLossSkill, ReportLossSkill
from actions.complaints import ComplaintFeedbackSkill, ComplaintFileSkill, ComplaintStatusSkill
from actions.identity import LoginSkill
from actions.living import BillPaySkill, BillQuerySkill, TopupSkill
from actions.payments import ReceiveCodeSkill, ScanPaySkill
from actions.security import LockSkill, UnlockSkill
from actions.service import TicketLeaveSkill
from actions.statements import SpendingSkill, StatementSearchSkill
from actions.transfers import (
    PayeeAddSkill,
    PayeeDeleteSkill,
    PayeeListSkill,
    TransferMakeSkill,
    TransferStatusSkill,
)
from actions.voiceprints import CancelVoiceSkill, EnrolVoiceSkill
from bot.dialogue.announced import Announced
from bot.dialogue.registry import SkillRegistry


def build_registry(announced: Iterable[Announced] = ()) -> SkillRegistry:
    """The skills in the order in which help lists them, and those that are only announced."""
    return SkillRegistry(
        (
            AccountBalanceSkill(),
            StatementSearchSkill(),
            SpendingSkill(),
            TransferMakeSkill(),
            TransferStatusSkill(),
            ReceiveCodeSkill(),
            ScanPaySkill(),
            BillQuerySkill(),
            BillPaySkill(),
            TopupSkill(),
            PayeeListSkill(),
            PayeeAddSkill(),
            PayeeDeleteSkill(),
            AccountListSkill(),
            ReportLossSkill(),
            CancelLossSkill(),
            LockSkill(),
            UnlockSkill(),
            EnrolVoiceSkill(),
            CancelVoiceSkill(),
            BranchFindSkill(),
            ComplaintFileSkill(),
            ComplaintStatusSkill(),
            ComplaintFeedbackSkill(),
            LoginSkill(),
            TicketLeaveSkill(),
        ),
        announced,
    )
