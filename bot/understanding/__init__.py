"""The client of the NLU service."""
