"""Who banks here."""

from banking_core.customers.errors import CustomerInvalid, CustomerNotFound, PhoneTaken
from banking_core.customers.models import Customer
from banking_core.customers.service import Customers

__all__ = ["Customer", "CustomerInvalid", "CustomerNotFound", "Customers", "PhoneTaken"]
