"""Risk: how likely an order or a log-in is a fraud, and what is asked for then."""
