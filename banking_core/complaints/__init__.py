"""Complaints: filed under a number, looked into, answered, judged by the customer, and once looked into again."""

from banking_core.complaints.errors import (
    ComplaintNotFound,
    ComplaintNotYours,
    ComplaintOver,
    ComplaintUnanswered,
)
from banking_core.complaints.models import STATUS_TEXT, Complaint, ComplaintEntry
from banking_core.complaints.service import Complaints, Staff

__all__ = [
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
