"""Stand-ins for the outside parties: persistent, and idempotent by key.

They keep their own database, as the real parties would, so that nothing here shares a transaction with the
ledger.
"""
