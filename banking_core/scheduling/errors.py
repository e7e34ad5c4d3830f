"""What can go wrong with a job.

BankError
├── JobIncomplete   job_incomplete   some of its items failed; the rest is done, and the run is tried again
└── JobUnknown      job_unknown      no job of that name
"""

from __future__ import annotations

from banking_core.errors import BankError


class JobIncomplete(BankError):
    """Some items of a job failed. What was done stays done; the run is tried again."""

    code = "job_incomplete"


class JobUnknown(BankError):
    """No job of that name."""

    code = "job_unknown"
