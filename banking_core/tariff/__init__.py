"""Fees, opening hours and arrival of orders."""

from banking_core.tariff.errors import OutsideHours
from banking_core.tariff.hours import Opening, OpeningGuard
from banking_core.tariff.service import Arrival, Tariff

__all__ = ["Arrival", "Opening", "OpeningGuard", "OutsideHours", "Tariff"]
