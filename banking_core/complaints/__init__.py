"""Complaints: filed under a number, looked into, answered, judged by the customer, and once looked into again."""

from banking_core.complaints.errors import (
    ComplaintNotFound,
    ComplaintNotYours,
    ComplaintOver,
    ComplaintUnanswered,
)
from banking_core.complaints.models import ENTRY_TEXT, ROUNDS_MAX, STATUS_TEXT, Complaint, ComplaintEntry
from banking_core.complaints.service import OPEN, Complaints, Staff

__all__ = [
    "ENTRY_TEXT",
    "OPEN",
    "ROUNDS_MAX",
    "STATUS_TEXT",
    "Complaint",
    "ComplaintEntry",
    "ComplaintNotFound",
    "ComplaintNotYours",
    "ComplaintOver",
    "ComplaintUnanswered",
    "Complaints",
    "Staff",
]
