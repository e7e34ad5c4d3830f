"""The channels through which customers come."""
