"""Branches and cash machines: where they are, when they are open, what they do."""

from banking_core.branches.errors import BranchDirectoryInvalid
from banking_core.branches.models import Branch, BranchKind
from banking_core.branches.service import Branches, BranchInfo

__all__ = ["Branch", "BranchDirectoryInvalid", "BranchInfo", "BranchKind", "Branches"]
