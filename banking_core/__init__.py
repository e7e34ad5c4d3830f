"""The bank: ledger, customers, accounts, orders and the business areas. Knows nothing of chat, HTTP or audio."""
