"""What can go wrong with the branch directory.

BankError
└── InvalidInput
    └── BranchDirectoryInvalid   the operator's YAML cannot be used; the message says where
"""

from __future__ import annotations

from banking_core.errors import InvalidInput


class BranchDirectoryInvalid(InvalidInput):
    """The directory file is not what it should be."""

    code = "branch_directory_invalid"
    default_customer_text = "网点信息暂时查不到，请稍后再试，或者回复“转人工”。"
