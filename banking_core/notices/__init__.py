"""What the bank tells customers unasked: recorded with what it is about, and sent when it is urgent."""

from banking_core.notices.models import Notice
from banking_core.notices.service import Notices

__all__ = ["Notice", "Notices"]
