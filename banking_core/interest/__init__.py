"""Interest on deposits."""

from banking_core.interest.errors import InterestMismatch
from banking_core.interest.models import InterestPeriod
from banking_core.interest.service import Interest

__all__ = ["Interest", "InterestMismatch", "InterestPeriod"]
