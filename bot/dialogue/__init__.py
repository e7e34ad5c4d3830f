"""The dialogue engine: skills, typed slots and the readers that fill them."""
