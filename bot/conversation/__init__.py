"""The hub: who owns a conversation, the message log, the pending secret, and the one transaction of a turn."""
