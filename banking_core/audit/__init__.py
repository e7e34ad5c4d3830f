"""Who did what, from where, on whose behalf: written with the change itself, chained, and never changed."""

from banking_core.audit.acting import Who, acting, current
from banking_core.audit.models import AuditRecord
from banking_core.audit.reading import AuditPage, AuditQuery, search
from banking_core.audit.trail import AuditInvalid, note

__all__ = [
    "AuditInvalid",
    "AuditPage",
    "AuditQuery",
    "AuditRecord",
    "Who",
    "acting",
    "current",
    "note",
    "search",
]
