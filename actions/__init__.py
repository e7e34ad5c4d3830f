"""The skills: one module per business area, each skill a small class over `banking_core`."""
