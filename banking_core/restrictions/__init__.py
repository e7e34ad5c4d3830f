"""What the bank itself lays on a customer after something odd: no money moves, lower limits, nothing by telephone."""

from banking_core.restrictions.errors import CustomerFrozen, CustomerRestricted
from banking_core.restrictions.models import BARRING, Restriction, RestrictionKind
from banking_core.restrictions.service import Restrictions

__all__ = [
    "BARRING",
    "CustomerFrozen",
    "CustomerRestricted",
    "Restriction",
    "RestrictionKind",
    "Restrictions",
]
