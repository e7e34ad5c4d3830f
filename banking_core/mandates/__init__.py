"""Mandates: orders that the bank makes for a customer on days agreed once."""

from banking_core.mandates.errors import MandateInvalid, MandateNotFound, MandateOver, MandatesTooMany
from banking_core.mandates.models import Mandate, MandateRun
from banking_core.mandates.schedule import Schedule
from banking_core.mandates.service import Mandates

__all__ = [
    "Mandate",
    "MandateInvalid",
    "MandateNotFound",
    "MandateOver",
    "MandateRun",
    "Mandates",
    "MandatesTooMany",
    "Schedule",
]
