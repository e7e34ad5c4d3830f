"""The phone line: calls over any wire, one loop that listens and speaks, the hub behind it."""
